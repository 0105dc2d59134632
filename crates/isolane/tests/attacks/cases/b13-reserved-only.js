// Reserving addresses without end is refused.
// modes: worker context pool process
// limits: cpu=4000 wall=20000
// memory: 300
// expect: error RangeError | limit memory | cpu
const kept = [];
for (;;) kept.push(new ArrayBuffer(0, { maxByteLength: 2 ** 33 - 1 }));
