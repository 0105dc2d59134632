// Also where the host reads the stack of what was thrown.
// modes: worker context pool process
// later: any
// expect: limit cpu
Error.prepareStackTrace = () => { for (;;); };
throw new Error('x');
