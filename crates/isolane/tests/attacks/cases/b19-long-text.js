// A text longer than the response limit is not copied.
// modes: worker context pool process
// limits: cpu=3000 response=1
// memory: 300
// expect: limit response | memory
return new Response('x'.repeat(1 << 25));
