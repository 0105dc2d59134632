// respondWith after the event is too late.
// modes: worker context pool process
// form: script
// expect: code ERR_NO_RESPONSE
addEventListener('fetch', async (event) => { await null; try { event.respondWith(new Response('late')); } catch {} });
