// Many rejections that nobody handles are read in one budget.
// modes: worker context pool process
// expect: limit cpu
for (let i = 0; i < 50; i++) Promise.reject({ get stack() { for (;;); } });
return new Response('ok');
