// A script that does not compile is refused.
// modes: worker context pool
// form: module
// expect: load-refused
export default {
