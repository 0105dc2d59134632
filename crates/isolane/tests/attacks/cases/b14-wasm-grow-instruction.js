// Also where the module itself grows it: (func (memory.grow (i32.const 8191))).
// modes: worker context pool process
// limits: cpu=4000
// memory: 300
// expect: error RangeError | RuntimeError | limit memory | response 200 refused
const bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 9, 2, 1, 0x66, 0, 0, 1, 0x6d, 2, 0, 10, 9, 1, 7, 0, 0x41, 0xff, 0x3f, 0x40, 0, 0x0b];
const { f, m } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes))).exports;
if (f() === -1) return new Response('refused');
new Uint8Array(m.buffer).fill(1);
