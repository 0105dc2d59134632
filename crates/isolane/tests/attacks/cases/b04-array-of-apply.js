// So is one made by apply.
// modes: worker context pool
// limits: cpu=500
// late: 1500
// memory: 700
// expect: error RangeError | limit heap | cpu
Array.apply(null, { length: 1e8 });
