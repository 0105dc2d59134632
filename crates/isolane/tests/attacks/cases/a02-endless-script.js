// The top level of a classic script is limited like a request.
// modes: worker context pool process
// form: script
// expect: limit cpu
addEventListener('fetch', () => {});
for (;;);
