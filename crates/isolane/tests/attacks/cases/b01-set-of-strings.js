// So does a Set of strings.
// modes: worker context pool process
// limits: cpu=5000 wall=20000
// memory: 500
// expect: limit heap | error RangeError
const set = new Set();
for (let i = 0; ; i++) set.add('key ' + i);
