// So do errors with their stacks.
// modes: worker context pool process
// limits: cpu=8000 wall=30000
// memory: 500
// expect: limit heap
const kept = [];
const deep = (n) => (n === 0 ? new Error('x') : deep(n - 1));
for (;;) { const error = deep(50); error.stack; kept.push(error); }
