// Coders are counted while their streams are open.
// modes: worker context pool process
// limits: cpu=30000
// memory: 250
// expect: error RangeError | limit memory
const kept = [];
for (;;) {
  const stream = new CompressionStream('brotli');
  stream.readable.getReader().read();
  const writer = stream.writable.getWriter();
  kept.push(stream);
  await writer.write(new Uint8Array(10));
}
