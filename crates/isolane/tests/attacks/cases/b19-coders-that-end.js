// Coders go with their streams: where these are closed, cancelled, aborted or broken.
// modes: worker context pool process
// limits: cpu=30000
// memory: 150
// expect: response 200 ok
for (let i = 0; i < 200; i++) {
  const closed = new CompressionStream('brotli');
  const closing = closed.writable.getWriter();
  closing.write(new Uint8Array(10));
  closing.close();
  await new Response(closed.readable).arrayBuffer();

  const cancelled = new CompressionStream('brotli');
  const reader = cancelled.readable.getReader();
  const read = reader.read();
  cancelled.writable.getWriter().write(new Uint8Array(10)).catch(() => {});
  await new Promise((wake) => setTimeout(wake));
  await reader.cancel();
  await read;

  const aborted = new CompressionStream('gzip');
  const failed = aborted.readable.getReader().read().catch(() => {});
  const aborting = aborted.writable.getWriter();
  await aborting.write(new Uint8Array(10));
  await aborting.abort();
  await failed;

  const broken = new DecompressionStream('gzip');
  const writer = broken.writable.getWriter();
  writer.write(new Uint8Array(10)).catch(() => {});
  writer.closed.catch(() => {});
  await broken.readable.getReader().read().catch(() => {});
}
return new Response('ok');
