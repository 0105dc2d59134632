// A loop without an end is stopped by its CPU limit.
// modes: worker context pool process
// expect: limit cpu
for (;;);
