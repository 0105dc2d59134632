// Nor does a regular expression.
// modes: worker context pool process
// limits: cpu=3000 wall=20000
// expect: error RangeError | SyntaxError | limit cpu | memory
new RegExp('('.repeat(1e6) + ')'.repeat(1e6)).test('');
