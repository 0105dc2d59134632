// A digest is of the bytes that were there when it was asked for.
// modes: worker context pool process
// expect: response 200 e3b0c44298fc1c14 30e14955ebf13522
const hex = (buffer) => [...new Uint8Array(buffer).subarray(0, 8)].map((b) => b.toString(16).padStart(2, '0')).join('');
const buffer = new ArrayBuffer(1 << 20, { maxByteLength: 1 << 20 });
const empty = crypto.subtle.digest('SHA-256', new Uint8Array(0));
const full = crypto.subtle.digest('SHA-256', buffer);
buffer.resize(0);
return new Response(`${hex(await empty)} ${hex(await full)}`);
