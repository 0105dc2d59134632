// So do closures.
// modes: worker context pool process
// limits: cpu=5000 wall=20000
// memory: 500
// expect: limit heap
const kept = [];
for (;;) { const held = new Array(10).fill(kept.length); kept.push(() => held); }
