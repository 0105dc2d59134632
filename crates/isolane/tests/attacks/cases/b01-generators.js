// So do generators that are not finished.
// modes: worker context pool process
// limits: cpu=5000 wall=20000
// memory: 500
// expect: limit heap
const kept = [];
function* numbers() { for (let i = 0; ; i++) yield i; }
for (;;) { const one = numbers(); one.next(); kept.push(one); }
