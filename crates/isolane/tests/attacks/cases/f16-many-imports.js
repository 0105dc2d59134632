// Imports without end are charged.
// modes: worker context pool process
// limits: cpu=1000
// expect: limit cpu | heap
for (;;) import('./missing.js').catch(() => {});
