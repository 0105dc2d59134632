// The longest string V8 has is refused, or held without its memory.
// modes: worker context pool process
// memory: 700
// expect: error RangeError | limit memory | response 200 ok
const kept = [];
for (let i = 0; i < 20; i++) kept.push('x'.repeat(2 ** 29 - 24 - i) + i);
return new Response('ok');
