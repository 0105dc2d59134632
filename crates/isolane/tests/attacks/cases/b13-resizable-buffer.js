// A resizable buffer is limited like any other.
// modes: worker context pool process
// limits: cpu=2000
// memory: 300
// expect: error RangeError | limit memory
const buffer = new ArrayBuffer(8, { maxByteLength: 1 << 30 });
buffer.resize(1 << 29);
new Uint8Array(buffer).fill(1);
