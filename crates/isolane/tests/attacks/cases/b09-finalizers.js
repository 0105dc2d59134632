// So are registrations of cleanup callbacks.
// modes: worker context pool process
// limits: cpu=3000 wall=30000
// memory: 800
// expect: limit cpu | heap
const registry = new FinalizationRegistry(() => {});
const kept = [];
for (;;) { const held = {}; registry.register(held, held.x, held); kept.push(held); }
