// Reading the handlers of a module is charged.
// modes: worker context pool process
// form: module
// expect: limit cpu
export default { get fetch() { for (;;); } };
