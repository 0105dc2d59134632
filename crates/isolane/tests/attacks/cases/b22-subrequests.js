// Fetches past the limit are refused.
// modes: worker context pool process
// limits: cpu=4000
// memory: 300
// expect: error TypeError | limit cpu | heap
const all = [];
for (let i = 0; i < 2e4; i++) all.push(fetch('http://127.0.0.1:1/'));
await Promise.all(all);
