// Also where the error is a limit's own.
// modes: worker context pool
// later: any
// expect: limit cpu | memory
Error.prepareStackTrace = () => { for (;;); };
(function deeper() { deeper(); })();
