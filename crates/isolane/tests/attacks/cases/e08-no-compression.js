// Nor is there a CompressionStream.
// modes: worker context pool process
// expect: error ReferenceError
new CompressionStream('gzip');
