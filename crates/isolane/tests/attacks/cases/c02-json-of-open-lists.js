// Text that only opens lists is refused before a parser keeps something for each.
// modes: worker context pool process
// limits: cpu=2000
// peak: 200
// cpu-at-most: 1000
// expect: error RangeError
JSON.parse('['.repeat(6e7));
return new Response('ok');
