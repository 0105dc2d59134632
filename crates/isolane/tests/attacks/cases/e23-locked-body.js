// So is one whose body is locked.
// modes: worker context pool
// expect: throws TypeError
const response = new Response('x');
response.body.getReader();
return response;
