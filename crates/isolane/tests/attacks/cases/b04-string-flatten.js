// A long string that has to be made flat reaches the heap limit, or is gone before anyone looks.
// modes: worker context pool process
// limits: cpu=2000
// memory: 1200
// expect: error RangeError | limit memory | response 200 *
const text = 'x'.repeat(2 ** 29 - 25) + 'y';
return new Response(String(text.charCodeAt(5)) + /z/.test(text));
