// Also where it is a rejection that nobody handles.
// modes: worker context pool process
// expect: limit cpu
Promise.reject({ get stack() { for (;;); } });
return new Response('ok');
