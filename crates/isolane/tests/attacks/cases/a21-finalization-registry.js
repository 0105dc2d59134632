// Cleanup callbacks run under a guard, and in no other's request.
// modes: worker context pool process
// limits: cpu=1000
// expect: response 200 ok
new FinalizationRegistry(() => { for (;;); }).register({}, 0);
for (let i = 0; i < 200; i++) new Array(1e5).fill(i);
return new Response('ok');
