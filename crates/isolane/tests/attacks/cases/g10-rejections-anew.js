// A listener that rejects anew for each rejection that nobody handled.
// modes: worker context pool process
// limits: cpu=200
// expect: limit cpu
addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  Promise.reject(event.reason);
});
Promise.reject(1);
await new Promise((resolve) => setTimeout(resolve, 1));
