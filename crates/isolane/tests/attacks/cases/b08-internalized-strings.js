// So does the table of property names.
// modes: worker context pool process
// limits: cpu=8000 wall=30000
// memory: 600
// expect: limit heap | cpu
const kept = [];
for (let i = 0; ; i++) { const one = {}; one['property' + i] = 1; kept.push(one); }
