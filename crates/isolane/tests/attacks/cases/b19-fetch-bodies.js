// The bodies of fetches that wait are bounded.
// modes: worker context pool process
// limits: cpu=3000
// memory: 300
// outbound: any
// expect: error TypeError | RangeError | limit cpu | memory
const body = new Uint8Array(15 << 20);
const sent = [];
for (let i = 0; i < 40; i++) sent.push(fetch('http://192.0.2.1/', { method: 'POST', body }));
await Promise.all(sent);
