// A script that does not compile is refused.
// modes: worker context pool process
// form: module
// expect: load-refused
export default {
