// So is one that gives an object.
// modes: worker context pool
// expect: code ERR_NO_RESPONSE
return {};
