// An object that only looks like a Response is not read.
// modes: worker context pool process
// expect: code ERR_NO_RESPONSE
return { get status() { for (;;); }, get headers() { for (;;); } };
