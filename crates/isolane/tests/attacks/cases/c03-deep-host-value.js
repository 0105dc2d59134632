// What a host function is given may be nested as deep as it likes.
// modes: worker context pool process
// limits: cpu=2000
// expect: error *
let deep = [];
for (let i = 0; i < 1e6; i++) deep = [deep];
await env.missing(deep);
