// So is null.
// modes: worker context pool process
// expect: throws *
throw null;
