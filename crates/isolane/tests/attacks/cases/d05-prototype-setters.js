// Setters on prototypes do not see what our code makes.
// modes: worker context pool process
// later: any
// limits: cpu=2000
// expect: response 200 ok
let seen = '';
// Its own strings and lists it may see: they are the guest's. Functions and records of ours it may not.
const note = (value, key) => { if (typeof value === 'function' || (typeof value === 'object' && value !== null && !(value instanceof Array))) seen += `${key} `; };
for (const key of ['0', '1', '2', 'id', 'run', 'reader', 'handler', 'callbackId', 'resolve', 'reject', 'chunk', 'listener', 'url', 'method']) {
  Object.defineProperty(Object.prototype, key, { set(value) { note(value, key); Object.defineProperty(this, key, { value, writable: true, enumerable: true, configurable: true }); }, get() {}, configurable: true });
  if (key.length === 1) Object.defineProperty(Array.prototype, key, { set(value) { note(value, key); Object.defineProperty(this, key, { value, writable: true, enumerable: true, configurable: true }); }, get() {}, configurable: true });
}
const response = new Response('ok', { headers: [['a', 'b']] });
new URL('http://a/?b=c').searchParams.get('b');
await new Response('x').text();
await new Promise((wake) => setTimeout(wake, 1));
new Request('http://a', { method: 'POST', body: 'x' }).clone();
for (const holder of [Object.prototype, Array.prototype]) for (const key of Reflect.ownKeys(holder)) { const d = Object.getOwnPropertyDescriptor(holder, key); if (d.set && key !== '__proto__') delete holder[key]; }
return seen === '' ? response : new Response(seen);
