// Recursion without end is a RangeError.
// modes: worker context pool process
// expect: error RangeError
(function deeper() { deeper(); })();
