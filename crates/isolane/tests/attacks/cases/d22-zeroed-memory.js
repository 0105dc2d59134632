// Memory that a guest is given holds nothing of others.
// modes: worker context pool process
// limits: cpu=4000 buffer=64
// expect: response 200 ok
for (let size = 1; size < 1 << 21; size = Math.ceil(size * 1.7)) {
  const buffers = [new ArrayBuffer(size), new Uint8Array(size).buffer, new ArrayBuffer(size, { maxByteLength: size + 64 }), structuredClone(new ArrayBuffer(size)), new ArrayBuffer(1).transfer(size)];
  for (const buffer of buffers) if (new Uint8Array(buffer).some((byte) => byte !== 0)) return new Response(`${size}`);
  const encoded = new TextEncoder().encode('a'.repeat(size % 4096));
  if (new Uint8Array(encoded.buffer).some((byte) => byte !== 97 && byte !== 0)) return new Response(`text ${size}`);
}
return new Response('ok');
