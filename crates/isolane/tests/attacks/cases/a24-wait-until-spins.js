// waitUntil that spins is cut at the CPU limit.
// modes: worker context pool process
// expect: response 200 ok | limit cpu
ctx.waitUntil((async () => { await null; await new Promise((f) => setTimeout(f, 1)); for (;;); })());
return new Response('ok');
