// So do proxies.
// modes: worker context pool process
// limits: cpu=5000 wall=20000
// memory: 500
// expect: limit heap
let proxy = {};
for (;;) proxy = new Proxy(proxy, {});
