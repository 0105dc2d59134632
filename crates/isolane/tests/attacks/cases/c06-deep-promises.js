// Deep chains of promises are resolved without recursion.
// modes: worker context pool process
// limits: cpu=4000 wall=20000
// expect: response 200 ok | limit cpu | heap
let resolve;
let last = new Promise((f) => { resolve = f; });
for (let i = 0; i < 2e5; i++) { const next = last; last = (async () => next)(); }
resolve('ok');
return new Response(await last);
