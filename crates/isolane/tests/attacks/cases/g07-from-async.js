// So is Array.fromAsync.
// modes: worker context pool process
// limits: cpu=1000
// expect: limit cpu | heap
await Array.fromAsync((async function* () { for (;;) yield 1; })());
