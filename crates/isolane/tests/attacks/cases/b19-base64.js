// So is base64.
// modes: worker context pool process
// limits: cpu=3000 wall=20000
// memory: 900
// expect: error * | limit memory | cpu
const kept = [];
let text = 'x'.repeat(1 << 20);
for (;;) { text = btoa(text); kept.push(text, atob(text)); }
