// What is reported is read in the guest's budget.
// modes: worker context pool
// expect: limit cpu
reportError(new Proxy({}, { get() { for (;;); } }));
