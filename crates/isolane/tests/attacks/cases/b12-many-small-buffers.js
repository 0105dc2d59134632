// Small typed arrays past the limit do not end the process.
// modes: worker context pool process
// limits: cpu=4000 wall=20000
// expect: error * | limit memory | cpu | response 200 ok
const kept = [];
try { for (;;) kept.push(new ArrayBuffer(1 << 20)); } catch {}
try { for (;;) kept.push(new ArrayBuffer(65)); } catch {}
for (let i = 0; i < 1000; i++) new Uint8Array(8).buffer;
return new Response('ok');
