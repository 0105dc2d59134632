// So is a join that grows.
// modes: worker context pool process
// limits: cpu=1000
// memory: 1500
// expect: error RangeError | limit memory | cpu
let text = 'x';
for (;;) text = new Array(100).fill(text).join(text);
