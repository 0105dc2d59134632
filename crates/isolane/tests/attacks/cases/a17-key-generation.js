// Keys of absurd lengths are refused.
// modes: worker context pool process
// expect: error OperationError
const algorithm = {
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength: 16384,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: 'SHA-256',
};
const all = [];
for (let i = 0; i < 64; i++) all.push(crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']));
await Promise.all(all);
