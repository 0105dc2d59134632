// A then that was replaced by one that spins is charged.
// modes: worker context pool process
// later: any
// expect: limit cpu | response 200 ok
Promise.prototype.then = () => { for (;;); };
ctx.waitUntil(Promise.resolve());
await { then(f) { for (;;); } };
return new Response('ok');
