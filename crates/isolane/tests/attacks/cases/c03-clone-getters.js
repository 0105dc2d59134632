// The getters that a clone calls are charged.
// modes: worker context pool process
// expect: limit cpu
structuredClone({ a: { get b() { for (;;); } } });
