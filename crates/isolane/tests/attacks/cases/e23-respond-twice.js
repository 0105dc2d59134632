// respondWith is called once.
// modes: worker context pool process
// form: script
// expect: response 200 InvalidStateError
addEventListener('fetch', (event) => {
  let resolve;
  event.respondWith(new Promise((f) => { resolve = f; }));
  try { event.respondWith(new Response('twice')); } catch (error) { resolve(new Response(error.name)); }
});
