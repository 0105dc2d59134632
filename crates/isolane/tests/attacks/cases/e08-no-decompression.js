// There is no DecompressionStream; asking for one is an error.
// modes: worker context pool
// expect: error ReferenceError
new DecompressionStream('gzip');
