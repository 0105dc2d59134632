// So are transforms.
// modes: worker context pool process
// limits: cpu=400
// expect: limit cpu | memory | body cpu | heap | buffer | body response
return new Response(new Response('x').body.pipeThrough(new TransformStream({ transform(chunk, c) { for (;;) c.enqueue(chunk); } })));
