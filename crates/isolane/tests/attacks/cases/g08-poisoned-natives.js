// Natives that were replaced by what throws or spins harm the worker itself only.
// modes: worker context pool process
// later: any
// limits: cpu=300 wall=3000
// expect: response * | limit cpu | wall | throws * | code ERR_NO_RESPONSE
const spin = () => { for (;;); };
for (const holder of [Map.prototype, Set.prototype, WeakMap.prototype, Array.prototype, String.prototype, RegExp.prototype, Function.prototype, Reflect, Object]) {
  for (const key of Reflect.ownKeys(holder)) {
    if (key === 'constructor') continue;
    const descriptor = Object.getOwnPropertyDescriptor(holder, key);
    if (typeof descriptor.value === 'function' && descriptor.configurable && holder !== Reflect && holder !== Object) try { holder[key] = spin; } catch {}
  }
}
return new Response('ok', { headers: { a: 'b' } });
