// Chunks that nobody reads are counted.
// modes: worker context pool process
// limits: cpu=3000
// memory: 300
// expect: error RangeError | limit memory
new ReadableStream({ start(c) { for (;;) c.enqueue(new Uint8Array(1 << 16)); } });
