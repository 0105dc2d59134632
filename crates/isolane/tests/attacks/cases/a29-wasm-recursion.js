// Recursion in WebAssembly without an end is a RangeError.
// modes: worker context pool process
// expect: error RangeError
const bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 0, 10, 6, 1, 4, 0, 0x10, 0, 0x0b];
new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes))).exports.f();
