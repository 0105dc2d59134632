// Keys that nobody holds are collected, with their material.
// modes: worker context pool process
// limits: cpu=30000
// memory: 150
// expect: response 200 ok
const material = new Uint8Array(1 << 10);
const algorithm = { name: 'HMAC', hash: 'SHA-256' };
for (let i = 0; i < 100_000; i++) await crypto.subtle.importKey('raw', material, algorithm, false, ['sign']);
return new Response('ok');
