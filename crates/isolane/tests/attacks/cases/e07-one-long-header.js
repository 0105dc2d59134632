// So is a value of 100 MB.
// modes: worker context pool process
// limits: cpu=2000
// memory: 900
// expect: error * | limit cpu | memory | limit response
return new Response('ok', { headers: { a: 'x'.repeat(100 << 20) } });
