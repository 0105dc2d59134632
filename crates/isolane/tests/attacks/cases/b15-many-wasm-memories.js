// Address space is not used up by small memories.
// modes: worker context pool process
// limits: cpu=4000 wall=20000
// memory: 300
// expect: error RangeError | limit memory | cpu
const kept = [];
for (;;) kept.push(new WebAssembly.Memory({ initial: 1 }));
