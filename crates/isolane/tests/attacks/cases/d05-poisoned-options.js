// Init dictionaries are read as Web IDL says: poisoned prototypes that they inherit count, but only there.
// modes: worker context pool process
// later: any
// expect: response 200 x | response 666 * | limit cpu | throws RangeError
Object.defineProperty(Object.prototype, 'status', { get() { return 666; }, configurable: true });
Object.defineProperty(Object.prototype, 'headers', { get() { for (;;); }, configurable: true });
return new Response('x');
