// Source text that is nested deeply does not overflow the parser.
// modes: worker context pool process
// limits: cpu=3000 wall=20000
// codegen: on
// expect: error RangeError | SyntaxError | limit cpu | memory
new Function('('.repeat(1e6) + '1' + ')'.repeat(1e6));
