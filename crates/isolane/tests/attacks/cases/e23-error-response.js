// Response.error() is no answer.
// modes: worker context pool
// expect: throws * | code ERR_NO_RESPONSE | response *
return Response.error();
