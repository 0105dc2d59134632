// So is one whose body is locked.
// modes: worker context pool process
// expect: throws TypeError
const response = new Response('x');
response.body.getReader();
return response;
