// WebAssembly is compiled from bytes also where code from strings is off.
// modes: worker context pool process
// expect: response 200 true
return new Response(String(new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])) instanceof WebAssembly.Module));
