// Sleeping is not charged.
// modes: worker context pool process
// limits: cpu=60
// cpu-at-most: 60
// expect: response 200 ok
await new Promise((wake) => setTimeout(wake, 300));
return new Response('ok');
