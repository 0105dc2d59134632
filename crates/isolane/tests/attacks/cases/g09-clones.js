// Deep, wide and growing values do not get past the bounds of a clone.
// modes: worker context pool process
// limits: cpu=2000
// peak: 700
// expect: limit cpu | memory | error *
const wide = {};
for (let i = 0; i < 2e5; i++) wide['key ' + i] = { i, date: new Date(), pattern: /x/g, map: new Map([[i, [i]]]) };
for (;;) structuredClone(wide);
