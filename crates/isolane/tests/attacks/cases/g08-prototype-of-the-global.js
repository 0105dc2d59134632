// So is one whose global object inherits from a proxy.
// modes: worker context pool process
// later: any
// expect: response 200 ok | limit cpu | throws *
const trap = new Proxy({}, { get() { for (;;); }, has() { return false; }, getPrototypeOf() { for (;;); } });
try { Object.setPrototypeOf(Object.getPrototypeOf(globalThis) ?? globalThis, trap); } catch {}
try { Object.setPrototypeOf(globalThis, trap); } catch {}
return new Response('ok');
