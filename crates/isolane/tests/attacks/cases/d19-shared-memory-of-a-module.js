// Nor by a module that exports shared memory.
// modes: worker context pool process
// expect: error * | response 200 none
const bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 4, 1, 3, 1, 1, 7, 5, 1, 1, 0x6d, 2, 0];
const { m } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes))).exports;
return new Response(m.buffer.constructor.name === 'SharedArrayBuffer' ? 'shared' : 'none');
