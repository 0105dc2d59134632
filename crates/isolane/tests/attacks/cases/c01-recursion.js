// Recursion without end is a RangeError.
// modes: worker context pool
// expect: error RangeError
(function deeper() { deeper(); })();
