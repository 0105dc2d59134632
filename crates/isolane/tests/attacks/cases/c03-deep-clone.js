// A clone of deeply nested objects is an error.
// modes: worker context pool process
// limits: cpu=2000
// expect: error RangeError | DataCloneError | limit cpu | heap | response 200 ok
let deep = {};
for (let i = 0; i < 1e6; i++) deep = { deep };
structuredClone(deep);
return new Response('ok');
