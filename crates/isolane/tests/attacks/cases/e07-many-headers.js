// A million headers are an error, or end by a limit.
// modes: worker context pool process
// limits: cpu=2000
// memory: 500
// expect: error * | limit cpu | memory | limit response
const headers = new Headers();
for (let i = 0; i < 1e6; i++) headers.append('a' + i, 'b');
return new Response('ok', { headers });
