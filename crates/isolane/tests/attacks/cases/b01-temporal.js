// So do the objects of Temporal.
// modes: worker context pool process
// limits: cpu=4000 wall=20000
// memory: 800
// expect: limit heap | cpu
const kept = [];
for (;;) kept.push(Temporal.PlainDateTime.from('2020-01-01T00:00:00'), new Temporal.Duration(1, 2, 3));
