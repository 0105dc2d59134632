// The getters that a clone calls are charged.
// modes: worker context pool
// expect: limit cpu
structuredClone({ a: { get b() { for (;;); } } });
