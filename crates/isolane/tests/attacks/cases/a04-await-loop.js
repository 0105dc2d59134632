// A loop of awaits is charged.
// modes: worker context pool
// expect: limit cpu
for (;;) await null;
