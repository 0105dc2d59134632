// So are URLs of any length.
// modes: worker context pool process
// limits: cpu=3000 wall=20000
// memory: 900
// expect: error * | limit memory | cpu
const kept = [];
for (let i = 1; ; i++) kept.push(new URL('http://a/' + 'x'.repeat(i * (1 << 20))), new URLSearchParams('a=' + 'b'.repeat(i * (1 << 20))));
