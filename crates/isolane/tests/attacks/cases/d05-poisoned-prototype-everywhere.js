// Our own code does not read options from poisoned prototypes.
// modes: worker context pool process
// later: any
// limits: cpu=2000
// expect: response 200 ok
const read = [];
const names = 'method headers body redirect signal duplex referrer cache mode status statusText type highWaterMark size start pull cancel transform flush write close abort autoAllocateChunkSize preventClose preventAbort preventCancel once capture passive stream fatal ignoreBOM endings lastModified transfer then get set value writable enumerable configurable done next depth cause reason bubbles cancelable composed detail'.split(' ');
const skip = new Set(['then', 'get', 'set', 'value', 'writable', 'enumerable', 'configurable', 'cause']);
for (const name of names) if (!skip.has(name)) Object.defineProperty(Object.prototype, name, { get() { read.push(name); }, set(value) { Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true }); }, configurable: true });
const response = new Response('ok');
const copy = new Response(await response.clone().text());
const url = new URL('http://a/?b=c');
url.searchParams.append('d', 'e');
new Headers([['a', 'b']]).get('a');
await new Response(new Blob(['x'])).arrayBuffer();
const { readable, writable } = new TransformStream();
const writer = writable.getWriter();
const written = writer.write(new Uint8Array(1));
await readable.getReader().read();
await written;
new AbortController().abort();
structuredClone({ a: [1, new Map([[1, 2]])] });
await new Promise((wake) => setTimeout(wake, 1));
for (const name of names) delete Object.prototype[name];
return read.length === 0 ? copy : new Response([...new Set(read)].join());
