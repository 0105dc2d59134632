// More random bytes than allowed are refused, and buffers that go away do no harm.
// modes: worker context pool process
// expect: response 200 QuotaExceededError ok
let name;
try { crypto.getRandomValues(new Uint8Array(65537)); } catch (error) { name = error.name; }
const buffer = new ArrayBuffer(16, { maxByteLength: 32 });
const view = new Uint8Array(buffer);
crypto.getRandomValues(view);
buffer.resize(0);
try { crypto.getRandomValues(view); } catch {}
const gone = new Uint8Array(16);
gone.buffer.transfer();
try { crypto.getRandomValues(gone); } catch {}
for (const bad of [new Float32Array(1), new DataView(new ArrayBuffer(1)), {}, null, 1]) try { crypto.getRandomValues(bad); return new Response('taken'); } catch (error) { if (!(error instanceof Error || error instanceof DOMException)) throw error; }
return new Response(`${name} ok`);
