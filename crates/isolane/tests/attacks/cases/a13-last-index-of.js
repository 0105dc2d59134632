// So does one from the end.
// modes: worker context pool process
// late: 1500
// expect: limit cpu | memory
const text = 'a'.repeat(1 << 24);
for (;;) text.lastIndexOf('b' + 'a'.repeat(1000));
