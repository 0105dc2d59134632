// Poisoned regular expressions spoil a pattern in their own realm, and nothing else.
// modes: worker context pool process
// later: any
// expect: response 200 *
RegExp.prototype.exec = () => ['a'];
Object.defineProperty(RegExp.prototype, 'flags', { get() { throw new Error('asked'); } });
return new Response(new URLPattern({ pathname: '/:a/:b' }).exec('http://x/1/2').pathname.groups.a);
