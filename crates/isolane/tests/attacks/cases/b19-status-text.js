// A status text of any length is bounded.
// modes: worker context pool process
// limits: cpu=3000
// memory: 900
// expect: error * | limit response | memory | cpu
return new Response('ok', { statusText: 'x'.repeat(1 << 27) });
