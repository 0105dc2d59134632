// There is no DecompressionStream; asking for one is an error.
// modes: worker context pool process
// expect: error ReferenceError
new DecompressionStream('gzip');
