// AbortSignal.timeout counts like a timer.
// modes: worker context pool process
// limits: cpu=3000
// expect: error * | limit cpu | heap
const kept = [];
for (let i = 0; i < 1e6; i++) kept.push(AbortSignal.timeout(1e9));
