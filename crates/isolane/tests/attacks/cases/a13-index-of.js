// A native search over a long text overruns by one call at most.
// modes: worker context pool process
// late: 1500
// expect: limit cpu | memory
const text = 'a'.repeat(1 << 24);
for (let i = 0; i < 20000; i++) text.indexOf('a'.repeat(1000) + 'b');
