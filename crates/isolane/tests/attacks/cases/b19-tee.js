// A branch of a tee that nobody reads is counted.
// modes: worker context pool process
// limits: cpu=3000
// memory: 300
// expect: error RangeError | limit memory
const [one, two] = new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1 << 16)); } }).tee();
const reader = one.getReader();
const kept = two;
for (;;) await reader.read();
