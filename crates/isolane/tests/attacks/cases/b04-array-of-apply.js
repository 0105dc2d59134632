// So is one made by apply.
// modes: worker context pool process
// limits: cpu=500
// late: 8000
// peak: 1200
// expect: error RangeError | limit heap | cpu
Array.apply(null, { length: 1e8 });
