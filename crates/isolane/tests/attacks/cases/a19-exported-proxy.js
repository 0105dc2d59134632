// Also where they are a proxy.
// modes: worker context pool process
// form: module
// expect: limit cpu
export default new Proxy({}, { get() { for (;;); } });
