// JSON of deeply nested objects is an error, or made without recursion.
// modes: worker context pool process
// limits: cpu=2000
// expect: error RangeError | limit cpu | heap | response 200 *
let deep = {};
for (let i = 0; i < 1e6; i++) deep = { deep };
return Response.json(deep);
