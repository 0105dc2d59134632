// A worker without a handler is told so.
// modes: worker context pool process
// form: module
// expect: code ERR_NO_HANDLER
export default {};
