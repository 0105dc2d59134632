// What nobody handles ends nothing but is reported.
// modes: worker context pool process
// requests: 2
// expect: response 200 ok
Promise.reject(new Error('x'));
Promise.reject(undefined);
Promise.reject(Symbol('s'));
Promise.reject(new Proxy({}, {}));
Promise.reject(null);
Promise.reject(Object.create(null));
Promise.reject({ get stack() { throw 1; }, get name() { throw 2; }, get message() { throw 3; } });
setTimeout(() => { throw new Error('t'); }, 0);
queueMicrotask(() => { throw undefined; });
const target = new EventTarget();
target.addEventListener('a', () => { throw new Error('l'); });
target.addEventListener('a', { handleEvent: 5 });
target.addEventListener('a', { get handleEvent() { throw 4; } });
target.dispatchEvent(new Event('a'));
ctx.waitUntil(Promise.reject(new Error('w')));
await new Promise((wake) => setTimeout(wake, 5));
return new Response('ok');
