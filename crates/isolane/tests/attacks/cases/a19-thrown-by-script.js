// So is what a classic script throws.
// modes: worker context pool process
// form: script
// expect: limit cpu
addEventListener('fetch', () => {});
Promise.resolve().then(() => { for (;;); });
throw new Proxy({}, { get() { for (;;); } });
