// Code from strings is refused unless it was asked for.
// modes: worker context pool process
// expect: error EvalError
new Function('('.repeat(1e6));
