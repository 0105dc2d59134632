// The constructors of functions give no way out.
// modes: worker context pool process
// codegen: on
// expect: response 200 ok
const makers = [fetch.constructor, setTimeout.constructor, console.log.constructor, (async () => {}).constructor, (function* () {}).constructor, (async function* () {}).constructor, Request.constructor, crypto.subtle.digest.constructor, ctx.waitUntil.constructor];
for (const make of makers) {
  const made = make('return this');
  let found = made();
  if (found instanceof Promise) found = await found;
  if (found?.next) found = (await found.next()).value;
  if (found !== globalThis) return new Response(String(make));
}
for (const name of ['process', 'require', 'module', 'global', 'Buffer', 'Deno', 'Bun', 'window', 'importScripts', 'load', 'print', 'gc', 'd8', '%DebugPrint']) if (name in globalThis) return new Response(name);
return new Response('ok');
