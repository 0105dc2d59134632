// One long value that is listed many times does not become many copies.
// modes: worker context pool process
// limits: cpu=3000
// memory: 300
// expect: limit response | cpu | memory
const value = 'x'.repeat(1 << 20);
const headers = new Headers();
for (let i = 0; i < 2000; i++) headers.append('set-cookie', value);
return new Response('ok', { headers });
