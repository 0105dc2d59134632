// Response.error() is no answer.
// modes: worker context pool process
// expect: throws * | code ERR_NO_RESPONSE | response *
return Response.error();
