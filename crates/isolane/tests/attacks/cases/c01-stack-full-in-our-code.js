// Every web API that meets a full stack throws, and stays whole.
// modes: worker context pool process
// limits: cpu=4000
// expect: response 200 ok | limit cpu
const calls = [
  () => new Request('http://a/', { method: 'POST', body: new ReadableStream(), duplex: 'half' }),
  () => new Response(new FormData()),
  () => structuredClone({ a: [new Map([[1, new Error('x')]])] }),
  () => new URL('http://a/').searchParams.append('a', 'b'),
  () => new ReadableStream().tee(),
  () => AbortSignal.any([AbortSignal.timeout(1e6)]),
  () => console.log({ a: { b: [1] } }),
  () => crypto.randomUUID(),
  () => new TextDecoder('shift_jis').decode(new Uint8Array(3)),
  () => new Blob(['a']).stream(),
  () => setTimeout(() => {}, 1e6),
  () => fetch('http://127.0.0.1:1/').catch(() => {}),
  () => btoa('abc'),
];
function atTheEnd(call) { try { atTheEnd(call); } catch { try { call(); } catch {} } }
for (const call of calls) { atTheEnd(call); call(); }
return new Response('ok');
