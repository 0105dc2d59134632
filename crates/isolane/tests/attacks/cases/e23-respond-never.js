// A listener that answers nothing is told so.
// modes: worker context pool process
// form: script
// expect: code ERR_NO_RESPONSE
addEventListener('fetch', () => {});
