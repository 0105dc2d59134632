// So is a grouping of values without end.
// modes: worker context pool process
// limits: cpu=4000 wall=20000
// memory: 700
// expect: error RangeError | limit heap | cpu
Object.groupBy((function* () { for (let i = 0; ; i++) yield i; })(), (n) => n);
