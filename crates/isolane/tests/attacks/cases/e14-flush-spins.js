// And their flush.
// modes: worker context pool process
// expect: limit cpu | body cpu
return new Response(new Response('x').body.pipeThrough(new TransformStream({ flush() { for (;;); } })));
