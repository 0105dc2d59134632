// So are random bytes.
// modes: worker context pool process
// expect: limit cpu
const bytes = new Uint8Array(65536);
for (;;) crypto.getRandomValues(bytes);
