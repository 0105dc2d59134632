// Also through listeners, whose errors are reported; the loop ends by a limit or by itself.
// modes: worker context pool process
// expect: response 200 ok | limit cpu
const target = new EventTarget();
target.addEventListener('a', () => target.dispatchEvent(new Event('a')));
target.dispatchEvent(new Event('a'));
return new Response('ok');
