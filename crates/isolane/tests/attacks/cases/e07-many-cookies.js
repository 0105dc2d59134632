// Many cookies are kept apart, or end by a limit.
// modes: worker context pool process
// limits: cpu=3000
// memory: 500
// expect: response 200 100000 | limit cpu | memory
const headers = new Headers();
for (let i = 0; i < 1e5; i++) headers.append('set-cookie', 'a=' + i);
return new Response(String(headers.getSetCookie().length));
