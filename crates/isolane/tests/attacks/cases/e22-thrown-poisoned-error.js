// So is an error whose members throw.
// modes: worker context pool process
// expect: throws *
const error = new Error('x');
for (const key of ['name', 'message', 'stack', 'cause', 'toString']) Object.defineProperty(error, key, { get() { throw error; } });
throw error;
