// Thousands of intervals end by a limit.
// modes: worker context pool process
// limits: wall=400
// expect: limit wall | cpu
for (let i = 0; i < 5000; i++) setInterval(() => {}, 0);
await new Promise(() => {});
