// And inside those of memory.
// modes: worker context pool process
// codegen: on
// limits: cpu=6000 wall=30000
// memory: 900
// expect: limit heap | cpu | error *
const kept = [];
for (let i = 0; ; i++) kept.push(new Function(`return ${i};` + `f${i}();`.repeat(1000)));
