// So does spreading an array over and over.
// modes: worker context pool process
// limits: cpu=5000 wall=20000
// memory: 700
// expect: limit heap | error RangeError
let all = [1];
for (;;) all = [...all, ...all];
