// A long chain of prototypes is walked without recursion.
// modes: worker context pool process
// limits: cpu=3000
// expect: response 200 ok | limit memory | cpu
let object = {};
for (let i = 0; i < 1e5; i++) object = Object.create(object);
for (const key in object) throw key;
object.missing;
object instanceof Array;
return new Response('ok');
