// So is one that gives an object.
// modes: worker context pool process
// expect: code ERR_NO_RESPONSE
return {};
