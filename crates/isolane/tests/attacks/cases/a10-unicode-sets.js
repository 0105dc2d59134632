// So is one with the v flag.
// modes: worker context pool process
// expect: limit cpu
/^(?:[\p{L}--[b]]+)+$/v.test('a'.repeat(40) + '1');
