// A pattern matches by the runtime's own means, whatever a guest makes of its prototypes.
// modes: worker context pool process
// later: any
// expect: response 200 1
RegExp.prototype.exec = () => ['a'];
Object.defineProperty(RegExp.prototype, 'flags', { get() { throw new Error('asked'); } });
return new Response(new URLPattern({ pathname: '/:a/:b' }).exec('http://x/1/2').pathname.groups.a);
