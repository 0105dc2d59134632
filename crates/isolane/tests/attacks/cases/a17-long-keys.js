// The search for long keys is charged to its request, also where that asks for many.
// modes: worker context pool process
// expect: limit cpu
const algorithm = {
  name: 'RSA-PSS',
  modulusLength: 8192,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: 'SHA-256',
};
const all = [];
for (let i = 0; i < 64; i++) all.push(crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']));
await Promise.all(all);
