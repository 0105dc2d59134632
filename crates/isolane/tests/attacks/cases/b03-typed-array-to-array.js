// Copying a buffer of 30 MB to an array of numbers reaches the heap limit.
// modes: worker context pool process
// limits: cpu=8000 wall=30000
// memory: 700
// expect: limit heap
const buffer = new ArrayBuffer(30 << 20);
const values = new Array(buffer.byteLength);
const bytes = new Uint8Array(buffer);
for (let i = values.length; i--; ) values[i] = bytes[i] + 0.5;
