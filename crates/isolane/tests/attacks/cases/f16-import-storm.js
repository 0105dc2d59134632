// Also where each is awaited.
// modes: worker context pool process
// limits: cpu=1000
// expect: limit cpu | heap
for (;;) await import('./worker.js?' + Math.random()).catch(() => {});
