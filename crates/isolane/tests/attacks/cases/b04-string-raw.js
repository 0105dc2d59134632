// And those of templates.
// modes: worker context pool process
// limits: cpu=1000
// memory: 1500
// expect: error RangeError | limit memory | cpu
let text = 'x';
for (;;) text = String.raw({ raw: { length: 1e4, 0: text } }, text, text) + text + text.split('').join(text);
