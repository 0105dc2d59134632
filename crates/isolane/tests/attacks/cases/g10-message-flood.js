// Messages that wait for their tasks are bounded.
// modes: worker context pool process
// limits: cpu=3000
// expect: error QuotaExceededError | limit cpu
const { port1, port2 } = new MessageChannel();
port2.onmessage = () => {};
for (;;) port1.postMessage(new ArrayBuffer(16));
