// So is a chain of bound functions.
// modes: worker context pool process
// limits: cpu=3000
// expect: error RangeError | limit cpu | heap | response 200 ok
let bound = () => 'ok';
for (let i = 0; i < 2e5; i++) bound = bound.bind(null, i);
return new Response(bound());
