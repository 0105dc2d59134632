// A regular expression that backtracks is ended.
// modes: worker context pool process
// expect: limit cpu
/^(a+)+$/.test('a'.repeat(40) + 'b');
