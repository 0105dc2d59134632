// A call with a hundred million arguments is late by a bounded time and memory.
// modes: worker context pool process
// limits: cpu=500
// late: 8000
// peak: 1800
// expect: limit cpu | memory | error RangeError
Math.max.apply(null, { length: 1e8 });
