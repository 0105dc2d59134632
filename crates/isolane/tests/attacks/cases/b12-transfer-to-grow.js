// A transfer cannot grow a buffer past the limit.
// modes: worker context pool process
// memory: 300
// expect: error RangeError | limit buffer
new ArrayBuffer(1 << 20).transfer(1 << 30);
