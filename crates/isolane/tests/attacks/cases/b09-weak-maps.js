// So are weak collections.
// modes: worker context pool process
// limits: cpu=3000 wall=30000
// memory: 800
// expect: limit cpu | heap
const kept = [];
const map = new WeakMap();
for (;;) { const key = {}; map.set(key, new WeakSet([key])); kept.push(key); }
