// Error.prepareStackTrace runs in the guest's budget.
// modes: worker context pool process
// later: any
// expect: limit cpu
Error.prepareStackTrace = () => { for (;;); };
new Error().stack;
