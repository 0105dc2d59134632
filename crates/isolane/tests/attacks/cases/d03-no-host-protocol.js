// No global of the guest's drives the host.
// modes: worker context pool process
// later: any
// expect: response 200 ok
globalThis.__lastResponse = { status: 200 };
globalThis.__requestComplete = true;
globalThis.__executeTimer = () => { throw new Error('called'); };
globalThis.define = globalThis.dispatch = globalThis.entry = globalThis.resolve = globalThis.__executeTimer;
globalThis.host = globalThis.respond = new Proxy({}, { get() { throw new Error('read'); } });
await new Promise((wake) => setTimeout(wake, 1));
return new Response('ok');
