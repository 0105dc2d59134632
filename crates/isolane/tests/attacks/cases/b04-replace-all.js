// So is a replacement that grows.
// modes: worker context pool process
// limits: cpu=5000
// memory: 1500
// expect: error RangeError | limit memory | cpu
let text = 'aaaaaaaaaa';
for (;;) text = text.replaceAll('a', 'aaaaaaaaaa');
