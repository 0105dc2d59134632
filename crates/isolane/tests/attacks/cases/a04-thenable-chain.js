// Thenables that resolve with thenables are charged.
// modes: worker context pool
// expect: limit cpu | heap
const thenable = { then(resolve) { resolve(thenable); } };
await thenable;
