// So is division.
// modes: worker context pool process
// expect: limit cpu | wall | memory
const n = 3n ** (1n << 22n), d = 7n ** (1n << 20n);
let sum = 0n;
for (;;) sum += n / d + (n % d);
