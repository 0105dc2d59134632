// Long digests run beside the isolate and are charged too.
// modes: worker context pool process
// limits: buffer=64
// expect: limit cpu
const bytes = new Uint8Array(16 << 20);
for (;;) await crypto.subtle.digest('SHA-512', bytes);
