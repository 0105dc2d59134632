// What called a guest's function is not to be had.
// modes: worker context pool process
// form: script
// expect: response 200 ok
function sloppy() { const found = []; try { found.push(sloppy.caller); } catch {} try { found.push(arguments.callee.caller); } catch {} return found; }
addEventListener('fetch', (event) => {
  const found = [];
  new Headers([[{ toString() { found.push(...sloppy()); return 'a'; } }, 'b']]);
  const target = new EventTarget();
  target.addEventListener('a', function listener() { found.push(...sloppy(), listener.caller); });
  target.dispatchEvent(new Event('a'));
  const own = (value) => value === null || value === undefined || /toString|listener|addEventListener|sloppy/.test(String(value));
  const foreign = found.filter((value) => !own(value));
  event.respondWith(new Response(foreign.length === 0 ? 'ok' : foreign.map(String).join()));
});
