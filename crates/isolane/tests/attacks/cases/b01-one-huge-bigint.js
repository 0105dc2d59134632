// So does one that is huge.
// modes: worker context pool process
// limits: cpu=500
// expect: limit heap | cpu | error RangeError
let n = 1n;
for (;;) n <<= 1000000n;
