// So do signals made of signals.
// modes: worker context pool process
// limits: cpu=8000 wall=30000
// expect: response 200 AbortError | limit cpu | heap | error RangeError
const controller = new AbortController();
let signal = controller.signal;
for (let i = 0; i < 1e5; i++) signal = AbortSignal.any([signal]);
controller.abort();
return new Response(signal.reason.name);
