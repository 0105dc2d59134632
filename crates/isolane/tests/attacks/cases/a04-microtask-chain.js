// A chain of microtasks without an end is charged.
// modes: worker context pool process
// limits: cpu=60
// expect: limit cpu | heap
const next = () => Promise.resolve().then(next);
await next();
