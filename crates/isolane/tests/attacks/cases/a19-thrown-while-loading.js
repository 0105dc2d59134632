// What a module throws at its top level is read in its budget.
// modes: worker context pool process
// form: module
// expect: limit cpu
Promise.resolve().then(() => { for (;;); });
throw new Proxy({}, { get() { for (;;); } });
export default {};
