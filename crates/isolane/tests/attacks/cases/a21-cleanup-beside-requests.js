// A cleanup callback that spins does not hold the request that follows.
// modes: worker context pool process
// limits: cpu=1000
// requests: 3
// expect: response 200 ok
new FinalizationRegistry(() => { for (;;); }).register({}, 0);
for (let i = 0; i < 100; i++) new Array(1e5).fill(i);
await new Promise((wake) => setTimeout(wake, 5));
return new Response('ok');
