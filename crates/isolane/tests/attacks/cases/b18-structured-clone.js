// Clones of buffers are counted.
// modes: worker context pool process
// limits: cpu=3000
// memory: 300
// expect: error RangeError | DataCloneError | limit memory
const kept = [];
for (;;) kept.push(structuredClone({ b: new ArrayBuffer(6 << 20) }));
