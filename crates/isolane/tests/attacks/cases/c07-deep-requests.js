// Requests made of requests keep a flat list of dependants.
// modes: worker context pool process
// limits: cpu=8000 wall=30000
// expect: response 200 ok | limit cpu | heap
let made = new Request('http://a');
for (let i = 0; i < 1e5; i++) made = new Request(made, { signal: made.signal });
return new Response('ok');
