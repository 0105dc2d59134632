// A body whose source never yields is ended by CPU time or memory.
// modes: worker context pool process
// limits: cpu=500
// expect: limit cpu | memory | body cpu | heap | buffer | body response
return new Response(new ReadableStream({ start(c) { for (;;) c.enqueue(new Uint8Array(65536)); } }));
