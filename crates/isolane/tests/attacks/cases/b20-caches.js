// What a worker's caches keep is bounded, however much is put.
// modes: worker context pool process
// limits: cpu=5000
// peak: 150
// expect: response 200 ok
const body = new Uint8Array(1 << 20);
for (let i = 0; i < 200; i++) await caches.default.put(`https://x.test/${i}`, new Response(body));
const kept = await caches.default.keys();
if (kept.length > 16) throw new Error(`${kept.length} are kept`);
for (let i = 0; i < 300; i++) await caches.open(`cache ${i}`).catch((error) => error);
if ((await caches.keys()).length > 64) throw new Error('there are too many caches');
return new Response('ok');
