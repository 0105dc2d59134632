// So does a chain of thens.
// modes: worker context pool process
// limits: cpu=5000 wall=20000
// memory: 500
// expect: limit heap
const kept = [new Promise(() => {})];
for (;;) kept.push(kept.at(-1).then(() => kept));
