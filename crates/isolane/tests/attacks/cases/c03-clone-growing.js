// What grows while it is cloned is charged.
// modes: worker context pool process
// limits: cpu=1000
// memory: 600
// expect: limit cpu | heap | error * | response 200 ok
const map = new Map();
const add = () => map.set({ get a() { add(); return 1; } }, 1);
add();
structuredClone(map);
return new Response('ok');
