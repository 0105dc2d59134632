// Promises of another class, and a then that was replaced, do not hold a request.
// modes: worker context pool process
// later: any
// limits: wall=2000
// expect: response 200 ok | response 200 mine | limit wall | code ERR_NO_RESPONSE | throws *
class Mine extends Promise { then(...args) { return super.then(...args); } static get [Symbol.species]() { return Mine; } }
const inner = new Response('mine');
Promise.prototype.then = function () { return this; };
globalThis.Promise = Mine;
return Mine.resolve(inner);
