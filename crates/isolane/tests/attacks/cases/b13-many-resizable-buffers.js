// So are many that are small.
// modes: worker context pool process
// limits: cpu=4000 wall=20000
// memory: 300
// expect: error RangeError | limit memory
const kept = [];
for (;;) { const one = new ArrayBuffer(1 << 20, { maxByteLength: 1 << 21 }); new Uint8Array(one).fill(1); kept.push(one); }
