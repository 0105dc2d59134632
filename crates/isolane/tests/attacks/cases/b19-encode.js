// Encoded text is counted.
// modes: worker context pool process
// limits: cpu=3000
// memory: 500
// expect: error RangeError | limit memory
const kept = [];
const text = 'é'.repeat(1 << 20);
for (;;) kept.push(new TextEncoder().encode(text));
