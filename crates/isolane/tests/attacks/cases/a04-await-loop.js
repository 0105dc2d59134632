// A loop of awaits is charged.
// modes: worker context pool process
// expect: limit cpu
for (;;) await null;
