// A bomb that nobody reads waits.
// modes: worker context pool process
// limits: cpu=20000 wall=3000
// memory: 120
// expect: limit wall | code ERR_NO_RESPONSE
const packer = new CompressionStream('brotli');
const packing = packer.writable.getWriter();
const packed = new Response(packer.readable).arrayBuffer();
for (let i = 0; i < 200; i++) await packing.write(new Uint8Array(1 << 20));
await packing.close();
const stream = new DecompressionStream('brotli');
const writer = stream.writable.getWriter();
const written = writer.write(await packed);
const reader = stream.readable.getReader();
await reader.read();
await written;
return new Response('two hundred mebibytes were made for nobody');
