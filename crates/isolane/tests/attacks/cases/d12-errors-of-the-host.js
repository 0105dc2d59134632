// Errors that the host makes are of this realm, and say nothing of it.
// modes: worker context pool process
// limits: cpu=2000
// expect: response 200 ok
const attempts = [
  () => fetch('http://127.0.0.1:1/'), () => fetch('http://localhost/'), () => fetch('ftp://a/'), () => fetch('http://a:1/'),
  () => new URL('::'), () => new Response('', { status: 1 }), () => atob('='), () => structuredClone(() => {}), () => new TextDecoder('x'),
  () => crypto.getRandomValues(new Uint8Array(70000)), () => crypto.subtle.digest('x', new Uint8Array(1)), () => import('./missing.js'),
  () => new Headers([['\n', '']]), () => new ArrayBuffer(1 << 30), () => setTimeout('x'), () => (function f() { f(); })(),
  () => new Request('/'), () => new Response('').body.getReader().read(1), () => WebAssembly.compile(new Uint8Array(1)), () => env.missing(),
];
const kinds = [Error, DOMException];
for (const attempt of attempts) {
  try { await attempt(); } catch (error) {
    const text = `${error.name} ${error.message} ${error.stack}`;
    if (!kinds.some((kind) => error instanceof kind)) return new Response(`foreign: ${text}`);
    if (/\.rs|\/(root|home|usr|work|tmp|cargo)\/|crates|panicked|os error/.test(text)) return new Response(text);
  }
}
return new Response('ok');
