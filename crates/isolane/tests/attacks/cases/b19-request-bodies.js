// The bodies of requests and responses are counted.
// modes: worker context pool process
// limits: cpu=3000
// memory: 300
// expect: error RangeError | limit memory
const kept = [];
const body = new Uint8Array(1 << 20);
for (;;) kept.push(new Request('http://a/', { method: 'POST', body }), new Response(body));
