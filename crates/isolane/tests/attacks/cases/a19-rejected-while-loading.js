// So is what top-level await rejects with.
// modes: worker context pool process
// form: module
// expect: limit cpu
await Promise.reject(new Proxy({}, { get() { for (;;); } }));
export default {};
