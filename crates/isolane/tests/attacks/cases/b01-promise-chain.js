// So does a chain of thens.
// modes: worker context pool
// limits: cpu=5000 wall=20000
// memory: 500
// expect: limit heap
let last = new Promise(() => {});
for (;;) last = last.then(() => last);
