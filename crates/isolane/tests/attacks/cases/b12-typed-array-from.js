// Also those made from iterables, and by methods.
// modes: worker context pool process
// limits: cpu=3000
// memory: 300
// expect: error RangeError
const kept = [new Uint8Array(1 << 20)];
for (;;) kept.push(kept[0].slice(), kept[0].map((n) => n), kept[0].toReversed(), Uint8Array.from(kept[0]), kept[0].with(0, 1));
