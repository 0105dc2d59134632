// So do the objects of Intl, whose data is not in the heap.
// modes: worker context pool process
// limits: cpu=800 wall=20000
// memory: 800
// expect: limit heap | cpu | error RangeError
const kept = [];
for (let i = 0; ; i++) kept.push(new Intl.DateTimeFormat('en', { timeZone: 'UTC', fractionalSecondDigits: 1 + (i % 3) }));
