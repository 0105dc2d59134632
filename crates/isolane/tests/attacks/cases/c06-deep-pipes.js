// So do pipes.
// modes: worker context pool process
// limits: cpu=8000 wall=30000
// expect: response 200 ok | limit cpu | heap | error RangeError
let stream = new Response('ok').body;
for (let i = 0; i < 2000; i++) stream = stream.pipeThrough(new TransformStream());
return new Response(stream);
