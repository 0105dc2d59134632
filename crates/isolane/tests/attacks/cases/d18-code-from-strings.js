// Each way to make code from strings throws an EvalError.
// modes: worker context pool process
// expect: response 200 EvalError EvalError EvalError EvalError EvalError EvalError TypeError TypeError
const names = [];
const attempts = [() => eval('1'), () => (0, eval)('1'), () => new Function('return 1')(), () => setTimeout('x=1', 0), () => (async () => {}).constructor('return 1'), () => Reflect.construct(function* () {}.constructor, ['yield 1']), () => import('data:text/javascript,1'), () => import('https://a/b.js')];
for (const attempt of attempts) { try { await attempt(); names.push('none'); } catch (error) { names.push(error.name); } }
return new Response(names.join(' '));
