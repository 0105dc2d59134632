// A buffer past the limit is refused with an error.
// modes: worker context pool process
// expect: error RangeError
new ArrayBuffer(1 << 30);
