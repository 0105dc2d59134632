// A cycle of prototypes through a proxy is an error.
// modes: worker context pool process
// expect: error RangeError
const proxy = new Proxy({}, { getPrototypeOf: () => proxy });
proxy instanceof Array;
Object.setPrototypeOf(Object.prototype, null);
const target = {};
const cycle = new Proxy(target, {});
Object.setPrototypeOf(target, cycle);
cycle.missing;
