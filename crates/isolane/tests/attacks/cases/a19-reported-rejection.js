// Also where it is a rejection that nobody handles.
// modes: worker context pool
// expect: limit cpu
Promise.reject({ get stack() { for (;;); } });
return new Response('ok');
