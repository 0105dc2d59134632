// Nor do millions of tiny ones that are kept.
// modes: worker context pool process
// limits: cpu=6000 wall=30000
// memory: 800
// expect: error * | limit memory | cpu
const kept = [];
for (;;) { const one = new Uint8Array(8); one.buffer; kept.push(one); }
