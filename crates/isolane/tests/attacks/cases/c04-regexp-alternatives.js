// Nor one with many alternatives and counts.
// modes: worker context pool process
// limits: cpu=3000 wall=20000
// memory: 900
// expect: error RangeError | SyntaxError | limit cpu | memory | response 200 ok
new RegExp('(?:' + 'a|'.repeat(1e5) + 'b)').test('c');
new RegExp('(?:a{1000}){1000}').test('a'.repeat(2e6));
return new Response('ok');
