// Buffers that are detached or shrunk while they are used do no harm.
// modes: worker context pool process
// limits: cpu=3000 subrequests=100
// expect: response 200 ok
const settled = [];
const uses = [
  (view) => new Response(view).arrayBuffer(),
  (view) => new Blob([view]).arrayBuffer(),
  (view) => new TextDecoder().decode(view, { get stream() { detach(view); return true; } }),
  (view) => new TextEncoder().encodeInto('x'.repeat(1000), view),
  (view) => crypto.subtle.digest('SHA-1', view),
  (view) => crypto.getRandomValues(view),
  (view) => new Request('http://a', { method: 'POST', body: view }).text(),
  (view) => fetch('http://127.0.0.1:1/', { method: 'POST', body: view }),
  (view) => structuredClone(view, { transfer: [view.buffer] }),
  (view) => new File([view], 'a', { get type() { detach(view); return 'b'; } }).bytes(),
  async (view) => { const { readable, writable } = new TransformStream(); const writer = writable.getWriter(); writer.write(view); detach(view); return new Response(readable).text(); },
  async (view) => { const stream = new ReadableStream({ type: 'bytes', pull(c) { detach(c.byobRequest.view); c.byobRequest.respond(1); } }); return stream.getReader({ mode: 'byob' }).read(view); },
];
function detach(view) { try { if (view.buffer.resizable) view.buffer.resize(0); else view.buffer.transfer(); } catch {} }
for (const use of uses) {
  for (const make of [() => new Uint8Array(4096), () => new Uint8Array(new ArrayBuffer(4096, { maxByteLength: 8192 })), () => new Uint8Array(new ArrayBuffer(4096, { maxByteLength: 8192 }), 4000), () => new Uint8Array(4)]) {
    for (const when of ['before', 'after']) {
      const view = make();
      if (when === 'before') detach(view);
      let answer;
      try { answer = use(view); } catch {}
      if (when === 'after') detach(view);
      settled.push(Promise.race([Promise.resolve(answer).catch(() => {}), new Promise((wake) => setTimeout(wake, 20))]));
    }
  }
}
await Promise.all(settled);
return new Response('ok');
