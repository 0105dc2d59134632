// Waiting in WebAssembly does not block the thread.
// modes: worker context pool process
// limits: wall=1000
// expect: error * | limit cpu | wall
const bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 7, 5, 1, 1, 0x66, 0, 0, 10, 14, 1, 12, 0, 0x41, 0, 0x41, 0, 0x42, 0x7f, 0xfe, 1, 2, 0, 0x0b];
new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes))).exports.f();
