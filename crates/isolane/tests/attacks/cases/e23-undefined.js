// A handler that gives nothing is told so.
// modes: worker context pool process
// expect: code ERR_NO_RESPONSE
return undefined;
