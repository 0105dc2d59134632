// So do promises that never settle.
// modes: worker context pool process
// limits: cpu=5000 wall=20000
// memory: 500
// expect: limit heap
const kept = [];
for (;;) { let resolve; const promise = new Promise((f) => { resolve = f; }); promise.then(() => resolve); kept.push(promise); }
