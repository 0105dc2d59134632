// JSON that does not fit into the heap whatever it holds is refused before it is taken apart.
// modes: worker context pool process
// limits: cpu=2000
// peak: 200
// cpu-at-most: 1000
// expect: error RangeError
JSON.parse(`[${'1,'.repeat(2.5e7)}1]`, (_, value) => value);
return new Response('ok');
