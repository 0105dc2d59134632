// Requests for views that are answered wrongly are errors.
// modes: worker context pool process
// limits: cpu=2000
// expect: response 200 ok
const outcomes = [];
async function attempt(pull, size = 16) {
  const stream = new ReadableStream({ type: 'bytes', pull(c) { try { pull(c); } catch (error) { outcomes.push(error.name); c.error(error); } } });
  const reader = stream.getReader({ mode: 'byob' });
  return Promise.race([reader.read(new Uint8Array(size)).catch((error) => error), new Promise((wake) => setTimeout(wake, 20))]);
}
await attempt((c) => { c.byobRequest.view.buffer.transfer(); c.byobRequest.respond(4); });
await attempt((c) => c.byobRequest.respond(2 ** 53));
await attempt((c) => c.byobRequest.respond(-1));
await attempt((c) => c.byobRequest.respond(17));
await attempt((c) => c.byobRequest.respond(0));
await attempt((c) => c.byobRequest.respondWithNewView(new Uint8Array(4)));
await attempt((c) => c.byobRequest.respondWithNewView(new Uint8Array(c.byobRequest.view.buffer, 1)));
await attempt((c) => c.enqueue(c.byobRequest.view));
await attempt((c) => { const { byobRequest } = c; c.enqueue(new Uint8Array(1)); byobRequest.respond(1); });
await attempt((c) => c.enqueue(new Uint8Array(new ArrayBuffer(8, { maxByteLength: 16 }))));
const names = new Set(outcomes);
for (const name of names) if (!['TypeError', 'RangeError'].includes(name)) return new Response(name);
const stream = new ReadableStream({ type: 'bytes', pull(c) { const { byobRequest } = c; if (byobRequest) { byobRequest.view[0] = 7; byobRequest.respond(1); } else c.enqueue(new Uint8Array([7])); } });
const [one, two] = stream.tee();
const reader = one.getReader({ mode: 'byob' });
const first = await reader.read(new Uint8Array(4));
two.cancel().catch(() => {});
return new Response(first.value[0] === 7 && first.value.length === 1 ? 'ok' : 'wrong');
