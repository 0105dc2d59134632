// Nor does a long sum.
// modes: worker context pool process
// limits: cpu=3000 wall=20000
// late: 3000
// codegen: on
// expect: error RangeError | SyntaxError | limit cpu | memory | response 200 ok
(0, eval)('1' + '+1'.repeat(5e6));
return new Response('ok');
