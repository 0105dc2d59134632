// So is an object of entries without end.
// modes: worker context pool process
// limits: cpu=4000 wall=20000
// memory: 700
// expect: error RangeError | limit heap | cpu
Object.fromEntries((function* () { for (let i = 0; ; i++) yield ['k' + i, i]; })());
