// So is an object without a prototype.
// modes: worker context pool
// expect: throws *
throw Object.create(null);
