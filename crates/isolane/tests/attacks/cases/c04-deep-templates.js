// Nor do templates, classes, arrows and patterns.
// modes: worker context pool process
// limits: cpu=3000 wall=20000
// codegen: on
// expect: response 200 ok | limit cpu | memory
for (const [open, close] of [['`${', '}`'], ['class{static{', '}}'], ['a=>', '1'], ['{', '}'], ['if(1)', ';'], ['!', '1'], ['async()=>{await ', '}'], ['function f(){', '}'], ['x?', ':1'], ['/(?:', '/']]) {
  for (const depth of [1e4, 2e5]) try { (0, eval)('0,' + open.repeat(depth) + '1' + close.repeat(depth)); } catch (error) { if (!(error instanceof RangeError || error instanceof SyntaxError || error instanceof ReferenceError)) throw error; }
}
return new Response('ok');
