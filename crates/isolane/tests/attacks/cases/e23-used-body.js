// A response whose body was read already is an error.
// modes: worker context pool process
// expect: throws TypeError
const response = new Response('x');
await response.text();
return response;
