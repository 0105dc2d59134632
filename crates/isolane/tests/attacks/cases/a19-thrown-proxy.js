// Also where it is a proxy.
// modes: worker context pool process
// expect: limit cpu
throw new Proxy({}, { get() { for (;;); }, getPrototypeOf() { for (;;); }, ownKeys() { for (;;); } });
