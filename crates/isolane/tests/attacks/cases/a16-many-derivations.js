// A thousand derivations wait in one queue, and end with their request.
// modes: worker context pool process
// expect: limit cpu
const key = await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']);
const algorithm = { name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: 2 ** 31 };
const all = [];
for (let i = 0; i < 900; i++) all.push(crypto.subtle.deriveBits(algorithm, key, 512));
await Promise.all(all);
