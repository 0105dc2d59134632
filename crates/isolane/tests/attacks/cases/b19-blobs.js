// The bytes of blobs are counted.
// modes: worker context pool process
// limits: cpu=3000
// memory: 300
// expect: error RangeError | limit memory
const kept = [];
for (;;) kept.push(new Blob(Array(8).fill(new Uint8Array(1 << 20))));
