// Listeners without end are charged.
// modes: worker context pool
// limits: cpu=3000
// expect: limit cpu | heap
const target = new EventTarget();
for (;;) target.addEventListener('a', () => {});
