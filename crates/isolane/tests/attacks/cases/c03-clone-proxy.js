// A proxy cannot be cloned.
// modes: worker context pool
// expect: error DataCloneError | limit cpu
structuredClone(new Proxy({}, { ownKeys() { for (;;); } }));
