// Chunks of any size do not pile up with the host.
// modes: worker context pool process
// limits: cpu=3000 response=60
// memory: 200
// body: unread
// expect: response 200 *
const chunk = new Uint8Array(20 << 20);
return new Response(new ReadableStream({ pull(c) { c.enqueue(chunk); } }));
