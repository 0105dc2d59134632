// Async generators without end are charged.
// modes: worker context pool process
// expect: limit cpu | heap
const endless = (async function* () { for (;;) yield* (async function* () { yield 1; })(); })();
for await (const one of endless);
