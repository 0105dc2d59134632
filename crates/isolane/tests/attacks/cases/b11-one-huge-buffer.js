// A buffer past the limit is refused with an error.
// modes: worker context pool
// expect: error RangeError
new ArrayBuffer(1 << 30);
