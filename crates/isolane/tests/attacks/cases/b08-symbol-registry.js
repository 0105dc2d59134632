// The registry of symbols counts against the heap.
// modes: worker context pool process
// limits: cpu=8000 wall=30000
// memory: 600
// expect: limit heap
for (let i = 0; ; i++) Symbol.for('k' + i);
