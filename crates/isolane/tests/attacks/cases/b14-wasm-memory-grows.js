// WebAssembly memory is limited.
// modes: worker context pool process
// limits: cpu=2000
// memory: 300
// expect: error RangeError | limit memory
const memory = new WebAssembly.Memory({ initial: 1 });
memory.grow(8191);
new Uint8Array(memory.buffer).fill(1);
