// Nor does a deep or wide value written to it take more than its bound.
// modes: worker context pool process
// limits: cpu=1500 wall=20000
// memory: 300
// expect: limit cpu | heap | response 200 ok
let deep = {};
for (let i = 0; i < 1e5; i++) deep = { deep, a: i };
const wide = new Array(1e6).fill(deep);
console.log(deep, wide, new Map(wide.map((one, i) => [i, one])));
console.table(wide);
return new Response('ok');
