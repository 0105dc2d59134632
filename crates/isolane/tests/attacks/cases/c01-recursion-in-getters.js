// Also where the recursion goes through natives.
// modes: worker context pool process
// expect: error RangeError
const object = { get a() { return [1].map(() => JSON.stringify({ toJSON: () => object.a }))[0]; } };
object.a;
