// A module that awaits for ever is ended by its wall limit.
// modes: worker context pool process
// form: module
// limits: wall=300
// expect: limit wall
await new Promise(() => {});
export default { fetch() {} };
