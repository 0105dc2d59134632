// Getters of options that detach the body do no harm.
// modes: worker context pool process
// expect: response 200 ok
const bytes = new Uint8Array(1 << 16).fill(65);
const response = new Response(bytes, { get status() { bytes.buffer.transfer(); return 200; } });
const text = await response.text();
if (text.length !== 0 && text.length !== 1 << 16) return new Response(String(text.length));
const array = new Uint8Array(1 << 10);
const made = new Request('http://a', { body: array, get method() { structuredClone(array.buffer, { transfer: [array.buffer] }); return 'POST'; } });
await made.arrayBuffer();
const tracking = new ArrayBuffer(100, { maxByteLength: 100 });
const view = new Uint8Array(tracking, 50);
tracking.resize(10);
for (const use of [() => new Response(view), () => new Blob([view]), () => new TextDecoder().decode(view), () => crypto.getRandomValues(view), () => structuredClone(view), () => console.log(view), () => new TextEncoder().encodeInto('abc', view)]) try { use(); } catch {}
return new Response('ok');
