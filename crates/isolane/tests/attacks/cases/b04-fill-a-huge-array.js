// An array of 10^8 elements is refused or reaches the heap limit, in time.
// modes: worker context pool process
// limits: cpu=500
// late: 1500
// memory: 700
// expect: error RangeError | limit heap | cpu
new Array(1e8).fill(0);
