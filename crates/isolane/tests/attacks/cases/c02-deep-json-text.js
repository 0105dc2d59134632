// So is text of it.
// modes: worker context pool process
// limits: cpu=2000
// expect: error RangeError | SyntaxError | limit cpu | heap | response 200 ok
JSON.parse('['.repeat(5e6) + ']'.repeat(5e6));
return new Response('ok');
