// So do regular expressions that are compiled.
// modes: worker context pool process
// limits: cpu=8000 wall=30000
// memory: 500
// expect: limit heap
const kept = [];
for (let i = 0; ; i++) { const one = new RegExp('(a' + i + ')+b|[c-z' + i + ']{1,5}'); one.test('a' + i); kept.push(one); }
