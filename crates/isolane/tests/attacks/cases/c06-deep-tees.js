// Deep chains of streams are dropped without recursion.
// modes: worker context pool process
// limits: cpu=8000 wall=30000
// memory: 500
// expect: response 200 ok | limit cpu | heap
let stream = new ReadableStream();
for (let i = 0; i < 1e5; i++) stream = stream.tee()[0];
stream = null;
return new Response('ok');
