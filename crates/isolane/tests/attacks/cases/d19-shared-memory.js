// No SharedArrayBuffer is to be had.
// modes: worker context pool process
// expect: error * | response 200 none
delete globalThis.SharedArrayBuffer;
const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
return new Response(buffer.constructor.name === 'SharedArrayBuffer' ? 'shared' : 'none');
