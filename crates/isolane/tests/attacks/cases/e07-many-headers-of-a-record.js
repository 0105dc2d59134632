// So is a record of them.
// modes: worker context pool process
// limits: cpu=2000
// memory: 500
// expect: error * | limit cpu | memory | limit response
const record = {};
for (let i = 0; i < 2e5; i++) record['a' + i] = 'b';
return new Response('ok', { headers: record });
