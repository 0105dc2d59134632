// So is null.
// modes: worker context pool
// expect: throws *
throw null;
