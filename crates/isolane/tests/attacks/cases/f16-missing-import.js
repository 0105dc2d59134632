// So is one that imports what is not there.
// modes: worker context pool process
// form: module
// expect: load-refused
import './missing.js';
export default {};
