// A request may set ten thousand timers, and no more.
// modes: worker context pool process
// limits: cpu=2000
// expect: response 200 10000 QuotaExceededError
let count = 0, name;
try { for (; count < 1e6; count++) setTimeout(() => {}, 1e9); } catch (error) { name = error.name; }
return new Response(`${count} ${name}`);
