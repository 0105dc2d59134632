// More derivations than may wait are refused.
// modes: worker context pool process
// limits: cpu=2000
// expect: error OperationError
const key = await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']);
const algorithm = { name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: 2 ** 31 };
const all = [];
for (let i = 0; i < 2000; i++) all.push(crypto.subtle.deriveBits(algorithm, key, 512));
await Promise.all(all);
