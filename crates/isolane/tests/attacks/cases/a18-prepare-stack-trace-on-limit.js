// Also where the error is a limit's own.
// modes: worker context pool process
// later: any
// expect: limit cpu | memory
Error.prepareStackTrace = () => { for (;;); };
(function deeper() { deeper(); })();
