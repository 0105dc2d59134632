// Public exponents that make everybody's work slow are refused.
// modes: worker context pool process
// expect: error OperationError
const publicExponent = new Uint8Array(256).fill(255);
const algorithm = { name: 'RSA-OAEP', modulusLength: 2048, publicExponent, hash: 'SHA-256' };
await crypto.subtle.generateKey(algorithm, true, ['encrypt', 'decrypt']);
