// So do microtasks that nobody runs yet.
// modes: worker context pool process
// limits: cpu=5000 wall=20000
// memory: 700
// expect: limit heap
for (;;) queueMicrotask(() => {});
