// A response that was sent before cannot be sent again.
// modes: worker context pool process
// form: module
// requests: 2
// expect: response 200 once | throws TypeError
const response = new Response('once');
export default { fetch: () => response };
