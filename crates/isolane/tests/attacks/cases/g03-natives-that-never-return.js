// A native function that never looks keeps its thread; the caller is answered all the same.
// modes: worker pool process
// later: any
// expect: limit cpu | heap | code ERR_ISOLATE_CRASHED
Intl.getCanonicalLocales({ length: 2 ** 53 - 1 });
