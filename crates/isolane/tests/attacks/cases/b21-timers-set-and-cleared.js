// Timers that are cleared leave nothing behind.
// modes: worker context pool process
// limits: cpu=5000 wall=20000
// memory: 200
// expect: response 200 ok | limit cpu
for (let i = 0; i < 300000; i++) clearTimeout(setTimeout(() => {}, 1e9));
return new Response('ok');
