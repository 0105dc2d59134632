// The finally of an async generator that is closed is limited.
// modes: worker context pool process
// expect: limit cpu
async function* endless() { try { yield 1; } finally { for (;;) await null; } }
for await (const one of endless()) break;
