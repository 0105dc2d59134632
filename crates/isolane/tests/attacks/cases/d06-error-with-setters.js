// A clone of an error whose prototype has setters does not run them where V8 allows no code.
// modes: worker context pool process
// later: any
// expect: response 200 ok | error DataCloneError | error *
Object.defineProperty(Error.prototype, 'x', { set() { throw 1; }, configurable: true });
const error = new Error('m');
Object.defineProperty(error, 'x', { value: 1, enumerable: true });
structuredClone(error);
structuredClone({ error, cause: new Error('n', { cause: error }) });
return new Response('ok');
