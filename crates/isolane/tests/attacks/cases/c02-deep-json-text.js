// Text of it is refused.
// modes: worker context pool process
// limits: cpu=2000
// cpu-at-most: 500
// expect: error RangeError
JSON.parse('['.repeat(5e6) + ']'.repeat(5e6));
return new Response('ok');
