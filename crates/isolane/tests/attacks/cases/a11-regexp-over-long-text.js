// Searching a text of 127 MB ends by CPU time or memory.
// modes: worker context pool process
// limits: cpu=50
// expect: limit cpu | memory
/1+2/.test('1'.repeat(127 * 1024 ** 2));
