// So does a Map.
// modes: worker context pool process
// limits: cpu=5000 wall=20000
// memory: 500
// expect: limit heap | error RangeError
const map = new Map();
for (let i = 0; ; i++) map.set(i, [i]);
