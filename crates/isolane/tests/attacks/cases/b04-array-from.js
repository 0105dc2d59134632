// So is one made from a length.
// modes: worker context pool process
// limits: cpu=500
// late: 1500
// memory: 700
// expect: error RangeError | limit heap | cpu
Array.from({ length: 2 ** 32 - 1 });
