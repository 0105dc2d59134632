// A loop in WebAssembly is ended by the CPU limit.
// modes: worker context pool process
// expect: limit cpu
const bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 0, 10, 9, 1, 7, 0, 3, 0x40, 0x0c, 0, 0x0b, 0x0b];
new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes))).exports.f();
