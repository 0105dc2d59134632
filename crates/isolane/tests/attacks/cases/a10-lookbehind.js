// So is one with a lookbehind.
// modes: worker context pool
// expect: limit cpu
/(?<=^(a+)+)$/.test('b' + 'a'.repeat(40));
