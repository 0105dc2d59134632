// Nor do too many arguments.
// modes: worker context pool process
// limits: cpu=3000 wall=20000
// expect: error RangeError
Math.max(...new Array(5e6).fill(1));
