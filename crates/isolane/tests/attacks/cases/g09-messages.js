// Console lines without end are not kept.
// modes: worker context pool process
// limits: cpu=1000
// peak: 300
// expect: limit cpu
for (;;) { console.log('%s %o %O %d %c', 'x'.repeat(1e5), {}, [], 1, 2); console.table([{ a: 1 }]); console.trace(); console.count(Math.random()); console.group(); console.time(String(Math.random())); }
