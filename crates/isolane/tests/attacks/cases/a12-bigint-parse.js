// So is reading a number of millions of digits.
// modes: worker context pool process
// expect: limit cpu | wall | memory | error SyntaxError
const digits = '7'.repeat(1 << 24);
for (;;) BigInt(digits);
