// A worker that freezes its globals is answered, and so are its later requests.
// modes: worker context pool process
// expect: response 200 ok
for (const object of [globalThis, Object.prototype, Array.prototype, Function.prototype, Promise.prototype, Response.prototype, Map.prototype, Response, Promise]) try { Object.freeze(object); } catch {}
await new Promise((wake) => setTimeout(wake, 1));
return new Response('ok');
