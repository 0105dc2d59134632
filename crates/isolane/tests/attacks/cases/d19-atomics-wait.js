// Nothing blocks a thread.
// modes: worker context pool process
// limits: wall=1000
// expect: error TypeError | RangeError | ReferenceError
const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
Atomics.wait(new Int32Array(buffer), 0, 0);
