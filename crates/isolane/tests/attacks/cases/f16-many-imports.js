// Imports without end are charged.
// modes: worker context pool
// limits: cpu=1000
// expect: limit cpu | heap
for (;;) import('./missing.js').catch(() => {});
