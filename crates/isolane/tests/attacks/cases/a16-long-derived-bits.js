// Half a gigabyte of derived bits does not fit.
// modes: worker context pool process
// expect: error RangeError
await crypto.subtle.deriveBits(
  { name: 'PBKDF2', hash: 'SHA-1', salt: new Uint8Array(8), iterations: 1 },
  await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']),
  2 ** 32 - 8,
);
