// Also that which a memory begins with.
// modes: worker context pool process
// limits: cpu=4000
// memory: 300
// expect: error RangeError | limit memory
const memory = new WebAssembly.Memory({ initial: 32768 });
new Uint8Array(memory.buffer).fill(1);
