// JSON that fills the heap while V8 parses it, which does not look whether to stop, is ended when that returns.
// modes: worker context pool process
// limits: cpu=20000
// peak: 500
// expect: limit heap
JSON.parse(`[${'{"a":{}},'.repeat(2.5e6)}1]`);
return new Response('ok');
