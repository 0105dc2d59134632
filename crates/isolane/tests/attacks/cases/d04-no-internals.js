// What a guest can reach has no member that belongs to the host.
// modes: worker context pool process
// limits: cpu=4000
// expect: response 200 ok
const seen = new Set();
const found = [];
const queue = [[globalThis, 'globalThis'], [request, 'request'], [env, 'env'], [ctx, 'ctx']];
while (queue.length > 0) {
  const [object, path] = queue.pop();
  if (object === null || (typeof object !== 'object' && typeof object !== 'function') || seen.has(object)) continue;
  seen.add(object);
  queue.push([Object.getPrototypeOf(object), path + '.__proto__']);
  for (const key of Reflect.ownKeys(object)) {
    const name = `${path}.${String(key)}`;
    if (/^__|internal|native|isolane|callbackId|timerStart|hostCall|streamOpen/i.test(String(key)) && !/^__(proto|defineGetter|defineSetter|lookupGetter|lookupSetter)__$/.test(String(key))) found.push(name);
    const { value, get, set } = Object.getOwnPropertyDescriptor(object, key);
    queue.push([value, name], [get, name], [set, name]);
  }
}
return new Response(found.length === 0 ? 'ok' : found.join());
