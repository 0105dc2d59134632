// Also while a module loads.
// modes: worker context pool process
// form: module
// expect: throws RangeError
(function deeper() { deeper(); })();
export default {};
