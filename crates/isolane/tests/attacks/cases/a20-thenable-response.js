// A Response that is a thenable is charged for its then.
// modes: worker context pool process
// expect: limit cpu
const response = new Response('ok');
response.then = () => { for (;;); };
return response;
