// waitUntil does not hold the answer, and is cut at the wall limit.
// modes: worker context pool process
// limits: wall=400
// expect: response 200 ok
ctx.waitUntil(new Promise(() => {}));
return new Response('ok');
