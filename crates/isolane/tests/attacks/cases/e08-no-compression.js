// Nor is there a CompressionStream.
// modes: worker context pool
// expect: error ReferenceError
new CompressionStream('gzip');
