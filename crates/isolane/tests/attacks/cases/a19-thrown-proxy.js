// Also where it is a proxy.
// modes: worker context pool
// expect: limit cpu
throw new Proxy({}, { get() { for (;;); }, getPrototypeOf() { for (;;); }, ownKeys() { for (;;); } });
