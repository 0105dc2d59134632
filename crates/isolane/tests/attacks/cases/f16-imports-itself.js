// A module may import itself.
// modes: worker context pool process
// form: module
// expect: response 200 ok
import * as self from './worker.js';
export default { fetch: () => new Response(self.default ? 'ok' : 'no') };
