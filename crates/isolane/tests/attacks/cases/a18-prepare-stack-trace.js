// Error.prepareStackTrace runs in the guest's budget.
// modes: worker context pool
// later: any
// expect: limit cpu
Error.prepareStackTrace = () => { for (;;); };
new Error().stack;
