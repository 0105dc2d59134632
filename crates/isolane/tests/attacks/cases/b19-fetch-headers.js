// Nor does it in a fetch.
// modes: worker context pool process
// limits: cpu=3000
// memory: 300
// expect: error TypeError | limit cpu | memory
const value = 'x'.repeat(1 << 20);
const headers = new Headers();
for (let i = 0; i < 1000; i++) headers.append('a' + i, value);
await fetch('http://127.0.0.1:1/', { headers });
