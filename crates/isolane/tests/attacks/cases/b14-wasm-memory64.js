// Also of 64 bits.
// modes: worker context pool process
// limits: cpu=4000
// memory: 300
// expect: error * | limit memory
const memory = new WebAssembly.Memory({ address: 'i64', initial: 32768n });
new Uint8Array(memory.buffer).fill(1);
