// So is multiplication.
// modes: worker context pool process
// expect: limit cpu | wall | memory
let n = 3n ** (1n << 20n);
for (;;) { n = BigInt.asUintN(1 << 24, n * n + 1n); }
