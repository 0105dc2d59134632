// The finally of a generator that is closed is limited.
// modes: worker context pool process
// expect: limit cpu
function* endless() { try { yield 1; } finally { for (;;); } }
for (const one of endless()) break;
