// A rope of strings is made flat without recursion.
// modes: worker context pool process
// limits: cpu=3000
// expect: response 200 ok | limit memory
let text = '';
for (let i = 0; i < 1e6; i++) text = (i & 1 ? 'a' : 'b') + text + 'c';
text.charCodeAt(0);
return new Response(text.length === 2e6 ? 'ok' : 'no');
