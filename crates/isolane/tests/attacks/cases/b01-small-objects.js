// Small objects without end reach the heap limit.
// modes: worker context pool process
// limits: cpu=5000 wall=20000
// memory: 400
// expect: limit heap
const kept = [];
for (;;) kept.push({ x: kept.length });
