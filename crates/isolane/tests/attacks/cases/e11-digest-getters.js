// What the algorithm's getters do to the bytes does no harm.
// modes: worker context pool process
// expect: response 200 ok
const bytes = new Uint8Array(1 << 16);
const resizable = new ArrayBuffer(1 << 16, { maxByteLength: 1 << 16 });
await crypto.subtle.digest({ get name() { bytes.buffer.transfer(); return 'SHA-256'; } }, bytes).catch(() => {});
await crypto.subtle.digest({ get name() { resizable.resize(0); return 'SHA-256'; } }, new Uint8Array(resizable, 100)).catch(() => {});
return new Response('ok');
