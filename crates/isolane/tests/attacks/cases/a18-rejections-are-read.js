// Also where a rejection that nobody handles is reported.
// modes: worker context pool process
// later: any
// expect: limit cpu
Error.prepareStackTrace = () => { for (;;); };
Promise.reject(new Error('x'));
await null;
return new Response('ok');
