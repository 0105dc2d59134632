// Data that waits to be encrypted is counted.
// modes: worker context pool process
// limits: cpu=30000
// memory: 200
// expect: error RangeError | limit memory
const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt']);
const data = new Uint8Array(4 << 20);
const all = [];
for (let i = 0; i < 500; i++) all.push(crypto.subtle.encrypt({ name: 'AES-GCM', iv: data.subarray(0, 12) }, key, data));
await Promise.all(all);
return new Response('ok');
