// Key derivation without a bound is not to be had.
// modes: worker context pool process
// expect: error TypeError | OperationError | QuotaExceededError | NotSupportedError
await crypto.subtle.deriveBits(
  { name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: 2 ** 31 - 1 },
  await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']),
  512,
);
