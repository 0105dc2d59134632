// Every function that a guest can reach belongs to its own realm.
// modes: worker context pool process
// limits: cpu=4000
// expect: response 200 ok
const seen = new Set();
const foreign = [];
const queue = [[globalThis, 'globalThis'], [request, 'request'], [env, 'env'], [ctx, 'ctx'], [new Error().stack, 'stack']];
const roots = new Set([Object.prototype, null]);
while (queue.length > 0) {
  const [object, path] = queue.pop();
  if (object === null || (typeof object !== 'object' && typeof object !== 'function') || seen.has(object)) continue;
  seen.add(object);
  const prototype = Object.getPrototypeOf(object);
  let root = object;
  while (Object.getPrototypeOf(root) !== null) root = Object.getPrototypeOf(root);
  if (!roots.has(root) && Object.getPrototypeOf(object) !== null) foreign.push(path);
  if (typeof object === 'function' && object !== Function.prototype && !(object instanceof Function)) foreign.push(path);
  queue.push([prototype, path + '.__proto__']);
  for (const key of Reflect.ownKeys(object)) {
    const { value, get, set } = Object.getOwnPropertyDescriptor(object, key);
    const name = `${path}.${String(key)}`;
    queue.push([value, name], [get, name], [set, name]);
  }
}
return new Response(foreign.length === 0 ? 'ok' : foreign.slice(0, 20).join());
