// Iterators that were replaced do not give away what is inside.
// modes: worker context pool process
// later: any
// limits: cpu=500 wall=3000
// expect: response 200 ok | limit cpu | throws * | response 200 not *
const seen = [];
const native = Array.prototype[Symbol.iterator];
Array.prototype[Symbol.iterator] = function () { seen[seen.length] = this; return native.call(this); };
const map = Map.prototype.set;
Map.prototype.set = function (key, value) { seen[seen.length] = value; return map.call(this, key, value); };
const response = new Response('ok', { headers: [['a', 'b']] });
const timer = setTimeout(() => {}, 1);
new URL('http://a/?b=c').searchParams.get('b');
clearTimeout(timer);
new EventTarget().addEventListener('a', () => {});
Array.prototype[Symbol.iterator] = native;
Map.prototype.set = map;
const walked = new Set();
const isHost = (value) => typeof value === 'function' && /^function (respond|fail|finish|hostCall|timerStart|streamOpen)\b/.test(Function.prototype.toString.call(value));
const walk = (value, depth) => { if (depth > 5 || value === null || (typeof value !== 'object' && typeof value !== 'function') || walked.has(value)) return false; walked.add(value); return isHost(value) || Reflect.ownKeys(value).some((key) => { const { value: inner } = Object.getOwnPropertyDescriptor(value, key); return walk(inner, depth + 1); }); };
return seen.some((value) => walk(value, 0)) ? new Response('leaked') : response;
