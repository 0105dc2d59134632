// WebAssembly tables are limited.
// modes: worker context pool process
// limits: cpu=4000
// memory: 500
// expect: error RangeError | limit memory
const kept = [];
for (;;) kept.push(new WebAssembly.Table({ element: 'anyfunc', initial: 1e6 }));
