// A proxy cannot be cloned.
// modes: worker context pool process
// expect: error DataCloneError | limit cpu
structuredClone(new Proxy({}, { ownKeys() { for (;;); } }));
