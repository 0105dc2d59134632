// Typed arrays of every kind are counted.
// modes: worker context pool process
// limits: cpu=3000
// memory: 300
// expect: error RangeError
const kept = [];
for (;;) for (const Kind of [Uint8Array, Float64Array, BigInt64Array, Uint8ClampedArray, Float16Array]) kept.push(new Kind(1 << 16));
