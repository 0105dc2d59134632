// Listeners without end are charged.
// modes: worker context pool process
// limits: cpu=3000
// expect: limit cpu | heap
const target = new EventTarget();
for (;;) target.addEventListener('a', () => {});
