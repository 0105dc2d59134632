// Reading the handlers of a module is charged.
// modes: worker context pool
// form: module
// expect: limit cpu
export default { get fetch() { for (;;); } };
