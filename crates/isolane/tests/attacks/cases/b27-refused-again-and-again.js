// A refused buffer is refused each time, and does not count.
// modes: worker context pool process
// limits: cpu=4000 wall=20000
// expect: response 200 ok | limit cpu
for (let i = 0; i < 500; i++) {
  try { new ArrayBuffer(1 << 30); return new Response('served'); } catch (error) { if (error.name !== 'RangeError') throw error; }
}
new ArrayBuffer(20 << 20);
return new Response('ok');
