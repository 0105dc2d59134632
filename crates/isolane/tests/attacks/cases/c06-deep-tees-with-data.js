// Data goes through deep chains of streams without recursion.
// modes: worker context pool process
// limits: cpu=8000 wall=30000
// expect: response 200 ok | limit cpu | heap | error RangeError
let stream = new ReadableStream({ start(c) { c.enqueue(new Uint8Array([111, 107])); c.close(); } });
for (let i = 0; i < 2000; i++) stream = stream.tee()[i & 1];
return new Response(stream);
