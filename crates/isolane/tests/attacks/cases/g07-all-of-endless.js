// So are the combinators of promises over iterables without end.
// modes: worker context pool process
// limits: cpu=1000
// expect: limit cpu | heap
await Promise.any((function* () { for (;;) yield Promise.reject(1); })());
