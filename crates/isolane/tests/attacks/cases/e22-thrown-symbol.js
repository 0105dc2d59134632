// A thrown symbol is an exception like any other.
// modes: worker context pool process
// expect: throws *
throw Symbol('s');
