// So is one with a lookbehind.
// modes: worker context pool process
// expect: limit cpu
/(?<=^(a+)+)$/.test('b' + 'a'.repeat(40));
