// A body that never comes is ended by the wall limit.
// modes: worker context pool process
// limits: wall=400
// expect: body wall
return new Response(new ReadableStream({ pull() { return new Promise(() => {}); } }));
