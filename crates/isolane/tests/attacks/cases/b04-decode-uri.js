// So do encoded ones.
// modes: worker context pool process
// limits: cpu=1000
// peak: 1500
// expect: error RangeError | URIError | limit memory | cpu
let text = 'é%'.repeat(1000);
for (;;) text = encodeURIComponent(text);
