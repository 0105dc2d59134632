// The top level of a module is limited like a request.
// modes: worker context pool process
// form: module
// expect: limit cpu
for (;;);
export default { fetch() {} };
