// Streams whose sources tee, release, abort and error from inside do no harm.
// modes: worker context pool process
// limits: cpu=3000 wall=3000
// expect: response 200 ok
const tries = [
  async () => { let stream; stream = new ReadableStream({ cancel() { return stream.tee(); } }); await stream.cancel(); },
  async () => { let reader; const stream = new ReadableStream({ pull(c) { reader.releaseLock(); c.enqueue(1); } }, { highWaterMark: 0 }); reader = stream.getReader(); await reader.read(); },
  async () => { const controller = new AbortController(); await new Response(new ReadableStream({ pull() { controller.abort(); } })).body.pipeTo(new WritableStream(), { signal: controller.signal }); },
  async () => { let c; const readable = new ReadableStream({ start(given) { c = given; } }); const writable = new WritableStream({ write() { c.error(new Error('x')); } }); c.enqueue(1); await readable.pipeTo(writable); },
  async () => { const stream = new ReadableStream({ start(c) { c.enqueue({ then(f) { f('thenable'); } }); c.close(); } }); const { value } = await stream.getReader().read(); if (value !== 'thenable' && typeof value !== 'object') throw new Error('odd'); },
  async () => { const stream = new ReadableStream({ type: 'bytes', pull(c) { c.close(); c.byobRequest?.respond(0); } }); await stream.getReader({ mode: 'byob' }).read(new Uint8Array(1)); },
  async () => { const { readable, writable } = new TransformStream({ transform(chunk, c) { c.terminate(); c.enqueue(chunk); } }); writable.getWriter().write(1).catch(() => {}); await readable.getReader().read(); },
  async () => { let c; const stream = new ReadableStream({ start(given) { c = given; } }, { size() { c.error(1); return 1; } }); c.enqueue(1); await stream.getReader().read(); },
  async () => { let stream; stream = new ReadableStream({ start(c) { c.enqueue(1); } }, { size() { return -1; } }); await stream.getReader().read(); },
  async () => { const stream = new ReadableStream({ pull() { return { then() { throw 1; } }; } }); await stream.getReader().read(); },
  async () => { const writable = new WritableStream({ write() { return new Promise(() => {}); }, abort() { return writable.abort(); } }); const writer = writable.getWriter(); writer.write(1).catch(() => {}); await writer.abort(); },
  async () => { const [a, b] = new ReadableStream({ cancel() { throw 1; } }).tee(); await Promise.all([a.cancel(), b.cancel()]); },
  async () => { const stream = ReadableStream.from({ [Symbol.asyncIterator]() { return { next() { return { get done() { throw 1; } }; }, return() { for (let i = 0; i < 10; i++) stream.cancel().catch(() => {}); } }; } }); await stream.getReader().read(); },
];
for (const one of tries) await Promise.race([one().catch(() => {}), new Promise((wake) => setTimeout(wake, 50))]);
return new Response('ok');
