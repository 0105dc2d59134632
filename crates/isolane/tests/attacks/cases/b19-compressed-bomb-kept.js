// A bomb that is kept fills the memory that its guest may have, and no more.
// modes: worker context pool process
// limits: cpu=30000
// memory: 200
// expect: throws RangeError | limit memory
const zeros = new Uint8Array(1 << 20);
const packed = new Blob([await new Response(new ReadableStream({
  start(controller) { for (let i = 0; i < 1000; i++) controller.enqueue(zeros); controller.close(); },
}).pipeThrough(new CompressionStream('gzip'))).arrayBuffer()]);
await new Response(packed.stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
return new Response('there was room for a gigabyte');
