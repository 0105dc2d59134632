// So is one whose handler is no function.
// modes: worker context pool process
// form: module
// expect: code ERR_NO_HANDLER
export default { fetch: 'http://a/' };
