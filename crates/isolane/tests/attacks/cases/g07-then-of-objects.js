// A then of all objects is charged.
// modes: worker context pool process
// later: any
// expect: limit cpu
Object.prototype.then = function () { for (;;); };
return new Response('ok');
