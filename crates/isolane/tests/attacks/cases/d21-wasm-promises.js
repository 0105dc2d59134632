// Promises of WebAssembly are of this realm.
// modes: worker context pool process
// expect: response 200 ok
const promises = [WebAssembly.compile(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])), WebAssembly.instantiate(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]))];
for (const promise of promises) {
  if (!(promise instanceof Promise) || promise.constructor !== Promise) return new Response('foreign');
  promise.constructor = { [Symbol.species]: function (executor) { executor(() => {}, () => {}); } };
  promise.finally(() => {});
}
const module = await Promise.prototype.then.call(WebAssembly.compile(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])), (m) => m);
return new Response(module instanceof WebAssembly.Module ? 'ok' : 'no');
