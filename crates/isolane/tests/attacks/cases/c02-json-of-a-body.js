// So is such a body.
// modes: worker context pool process
// limits: cpu=2000
// peak: 200
// cpu-at-most: 1000
// expect: error RangeError
await new Response('['.repeat(2e7)).json();
return new Response('ok');
