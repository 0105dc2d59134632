// A derivation that nobody waits for any more stops, whatever time it might still use.
// modes: worker context pool process
// limits: cpu=30000
// cpu-at-most: 2000
// expect: response 200 ok
const key = await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']);
const algorithm = { name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: 2 ** 31 };
crypto.subtle.deriveBits(algorithm, key, 512);
return new Response('ok');
