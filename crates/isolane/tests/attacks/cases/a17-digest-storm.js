// Digests without an end are charged.
// modes: worker context pool process
// expect: limit cpu | memory
const bytes = new Uint8Array(1 << 20);
for (;;) await crypto.subtle.digest('SHA-512', bytes);
