// Waiting for ever without blocking ends by the wall limit.
// modes: worker context pool process
// limits: wall=400
// expect: error TypeError | RangeError | limit wall
const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
await Atomics.waitAsync(new Int32Array(buffer), 0, 0).value;
