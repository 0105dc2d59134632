// So do big integers.
// modes: worker context pool process
// limits: cpu=5000 wall=20000
// memory: 600
// expect: limit heap | error RangeError
const kept = [];
for (let i = 0n; ; i++) kept.push((1n << 1000000n) + i);
