// So does an object with ever more properties.
// modes: worker context pool process
// limits: cpu=5000 wall=20000
// memory: 500
// expect: limit heap
const object = {};
for (let i = 0; ; i++) object['k' + i] = i;
