// Transferred buffers are counted once.
// modes: worker context pool process
// expect: response 200 ok
let buffer = new ArrayBuffer(20 << 20);
for (let i = 0; i < 100; i++) buffer = buffer.transfer();
return new Response('ok');
