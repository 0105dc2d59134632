// So is an object without a prototype.
// modes: worker context pool process
// expect: throws *
throw Object.create(null);
