// A clone of one that is wide is charged.
// modes: worker context pool process
// limits: cpu=2000
// memory: 700
// expect: error * | limit cpu | heap
const text = 'x'.repeat(1 << 20);
for (;;) structuredClone({ a: new Array(1e5).fill(text), m: new Map(new Array(1000).fill(0).map((_, i) => [i, { text }])) });
