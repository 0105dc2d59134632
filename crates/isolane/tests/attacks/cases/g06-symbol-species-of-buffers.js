// Also those of typed arrays and buffers.
// modes: worker context pool process
// expect: response 200 ok
class Lying extends Uint8Array { static get [Symbol.species]() { return class extends Uint8Array { constructor(length) { super(1); } }; } }
for (const call of [() => new Lying(100).map((n) => n), () => new Lying(100).slice(), () => new Lying(100).filter(() => true)]) { try { call(); } catch (error) { if (!(error instanceof TypeError)) throw error; } }
const shrinking = new ArrayBuffer(100, { maxByteLength: 100 });
class Shrinks extends Uint8Array { static get [Symbol.species]() { shrinking.resize(0); return Uint8Array; } }
try { new Shrinks(shrinking).slice(); } catch {}
new TextDecoder().decode(new Lying(100));
await new Response(new Lying(100)).text();
return new Response('ok');
