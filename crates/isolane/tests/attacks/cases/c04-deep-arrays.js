// Nor do arrays.
// modes: worker context pool process
// limits: cpu=3000 wall=20000
// codegen: on
// expect: error RangeError | SyntaxError | limit cpu | memory
(0, eval)('['.repeat(1e6));
