// Where that is not caught, the request ends by its buffer limit.
// modes: worker context pool process
// expect: limit buffer
new ArrayBuffer(1 << 30);
