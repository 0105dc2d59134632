// Also those that stream their bodies, which leave nothing behind.
// modes: worker context pool process
// limits: cpu=4000
// memory: 300
// expect: error TypeError | limit cpu | heap
const all = [];
for (let i = 0; i < 5e3; i++) {
  const body = new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(10)); } });
  all.push(fetch('http://127.0.0.1:1/', { method: 'POST', body, duplex: 'half' }));
}
await Promise.all(all);
