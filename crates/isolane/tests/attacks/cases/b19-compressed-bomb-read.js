// A bomb that is read piece by piece never takes more than a few of them.
// modes: worker context pool process
// limits: cpu=30000
// memory: 100
// expect: response 200 1048576000
const zeros = new Uint8Array(1 << 20);
const source = new ReadableStream({
  pull(controller) { if (this.count++ < 1000) controller.enqueue(zeros); else controller.close(); },
  count: 0,
});
let bytes = 0;
for await (const piece of source.pipeThrough(new CompressionStream('deflate')).pipeThrough(new DecompressionStream('deflate')))
  bytes += piece.length;
return new Response(String(bytes));
