// Also where they are text.
// modes: worker context pool process
// limits: cpu=3000
// memory: 500
// expect: error RangeError | limit memory | cpu
const kept = [];
const part = 'x'.repeat(1 << 20);
for (;;) kept.push(new Blob(Array(8).fill(part)));
