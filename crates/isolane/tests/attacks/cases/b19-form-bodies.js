// Also those that are encoded.
// modes: worker context pool process
// limits: cpu=3000
// memory: 500
// expect: error RangeError | limit memory | cpu
const kept = [];
const form = new FormData();
form.append('a', 'x'.repeat(1 << 20));
for (;;) kept.push(await new Response(form).arrayBuffer());
