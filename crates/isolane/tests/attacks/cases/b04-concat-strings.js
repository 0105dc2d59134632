// Two-byte strings that are joined end by a limit too.
// modes: worker context pool process
// limits: cpu=3000 wall=20000
// memory: 1500
// expect: error RangeError | limit memory | cpu
const kept = [];
for (let i = 0; ; i++) kept.push(new Array(1000).fill('é\u4e00' + i).join('-').toUpperCase().normalize('NFD'));
