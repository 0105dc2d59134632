// Also where they are a proxy.
// modes: worker context pool
// form: module
// expect: limit cpu
export default new Proxy({}, { get() { for (;;); } });
