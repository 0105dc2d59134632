// So is the largest that V8 fills.
// modes: worker context pool process
// limits: cpu=500
// late: 1500
// memory: 700
// expect: error RangeError | limit heap | cpu
new Array(2 ** 27 - 100).fill({});
