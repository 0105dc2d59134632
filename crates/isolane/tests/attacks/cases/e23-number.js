// So is one that gives a number.
// modes: worker context pool process
// expect: code ERR_NO_RESPONSE
return 1;
