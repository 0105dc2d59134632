// Padding to any length is refused, or ends by a limit.
// modes: worker context pool process
// limits: cpu=1000
// memory: 1500
// expect: error RangeError | limit memory | cpu
const kept = [];
for (let i = 0; ; i++) kept.push(('a' + i).padEnd(1 << 26, 'bcd').padStart(1 << 27, i + 'e') + kept.length, kept.join(''));
