// Thenables that resolve with thenables are charged.
// modes: worker context pool process
// expect: limit cpu | heap
const thenable = { then(resolve) { resolve(thenable); } };
await thenable;
