// What is reported is read in the guest's budget.
// modes: worker context pool process
// expect: limit cpu
reportError(new Proxy({}, { get() { for (;;); } }));
