// queueMicrotask without an end is charged.
// modes: worker context pool process
// expect: limit cpu
const next = () => queueMicrotask(next);
next();
await new Promise(() => {});
