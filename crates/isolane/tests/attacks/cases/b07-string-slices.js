// Slices of long strings that are kept reach the heap limit.
// modes: worker context pool process
// limits: cpu=4000 wall=20000
// memory: 600
// expect: limit heap
const kept = [];
const text = 'x'.repeat(1 << 20);
for (;;) {
  const at = (Math.random() * text.length) | 0;
  const next = text.slice(0, at) + 'y' + text.slice(at) + kept.length;
  next.charCodeAt(3);
  kept.push(next.at(-1), next);
  /z/.test(next);
}
