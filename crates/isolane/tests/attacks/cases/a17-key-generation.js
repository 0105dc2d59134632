// Nor are long keys.
// modes: worker context pool process
// limits: wall=400
// expect: error TypeError | OperationError | NotSupportedError | limit wall
const algorithm = {
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength: 16384,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: 'SHA-256',
};
for (let i = 0; i < 64; i++) crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
await new Promise(() => {});
