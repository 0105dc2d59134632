// A chain of proxies is an error.
// modes: worker context pool process
// limits: cpu=3000
// expect: error RangeError | limit cpu | heap
let proxy = {};
for (let i = 0; i < 1e6; i++) proxy = new Proxy(proxy, {});
proxy.x;
