// Errors that V8 makes inside async functions are of this realm.
// modes: worker context pool process
// codegen: on
// expect: response 200 ReferenceError true
const error = new Error();
error.name = Symbol();
let caught;
await (async () => error.stack)().catch((thrown) => { try { thrown.constructor.constructor('return process')(); } catch (inner) { caught = inner; } });
if (caught === undefined) try { error.constructor.constructor('return process')(); } catch (inner) { caught = inner; }
return new Response(`${caught.name} ${caught instanceof ReferenceError}`);
