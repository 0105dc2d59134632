// Key derivation runs beside the isolate, and is charged to its request all the same.
// modes: worker context pool process
// expect: limit cpu
await crypto.subtle.deriveBits(
  { name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: 2 ** 31 },
  await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']),
  512,
);
