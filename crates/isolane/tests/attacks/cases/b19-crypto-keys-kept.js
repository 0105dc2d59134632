// The material of keys that are kept is counted.
// modes: worker context pool process
// limits: cpu=30000
// memory: 200
// expect: error RangeError | limit memory
const material = new Uint8Array(1 << 16);
const algorithm = { name: 'HMAC', hash: 'SHA-256' };
const kept = [];
for (;;) kept.push(await crypto.subtle.importKey('raw', material, algorithm, false, ['sign']));
