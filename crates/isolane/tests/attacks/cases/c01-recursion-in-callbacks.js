// Also through sort, replace and proxies.
// modes: worker context pool process
// expect: error RangeError
const proxy = new Proxy({}, { get: () => [2, 1].sort(() => 'ab'.replace(/a/, () => proxy.x)) });
proxy.x;
