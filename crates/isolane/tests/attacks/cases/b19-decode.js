// So is decoded text.
// modes: worker context pool process
// limits: cpu=3000 wall=20000
// memory: 700
// expect: error RangeError | limit memory | cpu
const kept = [];
const bytes = new Uint8Array(4 << 20).fill(97);
for (;;) kept.push(new TextDecoder().decode(bytes));
