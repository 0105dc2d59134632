// Also where the text is an object that converts itself.
// modes: worker context pool process
// expect: error EvalError
const text = { toString: () => 'return 1' };
Function(text)();
