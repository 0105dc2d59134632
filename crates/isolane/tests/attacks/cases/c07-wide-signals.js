// A signal with many dependants aborts them all.
// modes: worker context pool process
// limits: cpu=4000
// expect: response 200 true | limit cpu | heap
const controller = new AbortController();
const kept = [];
for (let i = 0; i < 20000; i++) kept.push(AbortSignal.any([controller.signal, AbortSignal.any([controller.signal])]));
controller.abort();
return new Response(String(kept.every((signal) => signal.aborted)));
