// A body without an end is ended by the response limit.
// modes: worker context pool process
// limits: response=4 cpu=2000
// expect: body response
return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536)); } }));
