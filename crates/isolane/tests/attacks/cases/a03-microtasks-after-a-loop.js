// Microtasks that were queued before a loop do not run on when it is ended.
// modes: worker context pool process
// expect: limit cpu
Promise.resolve().then(() => { for (;;); });
for (;;);
