// So does a list.
// modes: worker context pool process
// limits: cpu=5000 wall=20000
// memory: 400
// expect: limit heap
let list = null;
for (;;) list = { list };
