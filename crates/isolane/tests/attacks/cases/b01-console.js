// What is written to the console is not kept.
// modes: worker context pool process
// limits: cpu=1500 wall=20000
// memory: 300
// expect: limit cpu
const text = 'x'.repeat(1 << 18);
for (;;) console.log(text);
