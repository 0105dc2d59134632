// Forms of many fields are charged.
// modes: worker context pool process
// limits: cpu=4000 wall=20000
// memory: 800
// expect: response 200 ok | error * | limit cpu | memory
await new Response('a=b&'.repeat(1e6), { headers: { 'content-type': 'application/x-www-form-urlencoded' } }).formData();
new URLSearchParams('&'.repeat(5e6));
new URLSearchParams('%'.repeat(5e6));
return new Response('ok');
