// No key material of keys that cannot be extracted is to be had by what a guest can replace.
// modes: worker context pool process
// limits: cpu=20000
// later: any
// expect: response 200 ok
const secret = [83, 69, 67, 82, 69, 84, 45, 84, 72, 65, 84, 45, 78, 79, 66, 79];
const found = [];
const { apply } = Reflect;
const { defineProperty } = Object;
const { subtle } = crypto;
const NativePromise = Promise;
const NativeBytes = Uint8Array;
const indexOf = NativeBytes.prototype.indexOf;
const isBuffer = (value) => { try { return apply(Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength').get, value, []) >= 0; } catch { return false; } };
let depth = 0;
function look(value, where) {
  if (depth > 3 || value === null || (typeof value !== 'object' && typeof value !== 'function')) return;
  depth++;
  try {
    const bytes = isBuffer(value) ? new NativeBytes(value) : ArrayBuffer.isView(value) ? new NativeBytes(value.buffer) : undefined;
    if (bytes !== undefined) {
      for (let at = apply(indexOf, bytes, [83]); at >= 0; at = apply(indexOf, bytes, [83, at + 1]))
        if (secret.every((byte, i) => bytes[at + i] === byte)) found.push(where);
      return;
    }
    for (const key of Object.getOwnPropertyNames(value)) {
      const descriptor = Object.getOwnPropertyDescriptor(value, key);
      if ('value' in descriptor) look(descriptor.value, where + '.' + key);
    }
  } catch {} finally { depth--; }
}
const wrapping = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'unwrapKey']);
const iv = new NativeBytes(12);
const jwk = JSON.stringify({ kty: 'oct', k: btoa(String.fromCharCode(...secret)).replaceAll('=', ''), padding: String.fromCharCode(...secret) });
const wrapped = await subtle.encrypt({ name: 'AES-GCM', iv }, wrapping, NativeBytes.from(jwk, (c) => c.charCodeAt(0)));
const raw = await subtle.encrypt({ name: 'AES-GCM', iv }, wrapping, NativeBytes.from(secret));
const derivation = await subtle.importKey('raw', new NativeBytes(4), 'PBKDF2', false, ['deriveKey']);

for (const holder of [Object.prototype, Array.prototype, ArrayBuffer.prototype, Promise.prototype, Function.prototype, NativeBytes.prototype]) {
  for (const name of ['then', 'constructor', 'toJSON', 'next', 'return', 'material', 'kind', 'length', 'purpose', 'host', 'publicKey', 'privateKey', 'slice']) {
    const before = Object.getOwnPropertyDescriptor(holder, name);
    if ((before !== undefined && !before.configurable) || (name === 'length' && holder !== Object.prototype)) continue;
    defineProperty(holder, name, {
      __proto__: null,
      get() { look(this, 'get ' + name); return before === undefined ? undefined : 'value' in before ? before.value : apply(before.get, this, []); },
      set(value) { look(this, 'set ' + name); look(value, 'set ' + name); defineProperty(this, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true }); },
      configurable: true,
    });
  }
}
for (const [holder, name] of [[JSON, 'parse'], [JSON, 'stringify'], [Reflect, 'apply'], [Object, 'defineProperty'], [Array.prototype, 'push'], [Array, 'from'], [Map.prototype, 'set'], [Map.prototype, 'get'], [NativePromise, 'resolve'], [NativePromise.prototype, 'catch'], [String.prototype, 'charCodeAt'], [globalThis, 'atob'], [globalThis, 'structuredClone'], [ArrayBuffer, 'isView'], [Function.prototype, 'call'], [Function.prototype, 'bind']]) {
  const before = holder[name];
  defineProperty(holder, name, { __proto__: null, value: function (...args) { look(this, name); for (let i = 0; i < args.length; i++) look(args[i], name); return apply(before, this, args); }, writable: true, configurable: true });
}
globalThis.Promise = class extends NativePromise {
  constructor(executor) { super((resolve, reject) => executor((value) => { look(value, 'Promise'); resolve(value); }, reject)); }
};
globalThis.Uint8Array = class extends NativeBytes { constructor(...args) { for (let i = 0; i < args.length; i++) look(args[i], 'Uint8Array'); super(...args); } };
Array.prototype[Symbol.iterator] = function* () { look(this, 'iterator'); for (let i = 0; i < this.length; i++) yield this[i]; };

const keys = [
  await subtle.unwrapKey('jwk', wrapped, wrapping, { name: 'AES-GCM', iv }, 'AES-GCM', false, ['encrypt']),
  await subtle.unwrapKey('raw', raw, wrapping, { name: 'AES-GCM', iv }, 'AES-GCM', false, ['encrypt']),
  await subtle.deriveKey({ name: 'PBKDF2', hash: 'SHA-1', salt: iv, iterations: 10000 }, derivation, { name: 'AES-GCM', length: 128 }, false, ['encrypt']),
  await subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt']),
];
for (let i = 0; i < keys.length; i++) {
  const key = keys[i];
  await subtle.encrypt({ name: 'AES-GCM', iv }, key, new NativeBytes(4));
  for (const format of ['raw', 'jwk']) {
    let refused = false;
    try { await subtle.exportKey(format, key); } catch (error) { refused = error.name === 'InvalidAccessError'; }
    if (!refused) found.push('exported');
  }
  const copy = structuredClone(key);
  if (copy.extractable || !(copy instanceof CryptoKey)) found.push('a clone that is more');
  look(copy, 'clone');
  look(key, 'key');
}
for (const steal of [() => Object.assign(keys[0], { extractable: true }), () => { keys[0].algorithm.name = 'HKDF'; keys[0].usages[0] = 'decrypt'; }]) {
  try { steal(); } catch {}
}
let refused = false;
try { await subtle.decrypt({ name: 'AES-GCM', iv }, keys[0], raw); } catch (error) { refused = error.name === 'InvalidAccessError'; }
if (!refused) found.push('a usage more');
return new Response(found.length === 0 ? 'ok' : found.slice(0, 10).join());
