// What a subclass of Response overrides is not run.
// modes: worker context pool process
// expect: response 200 ok | limit cpu
return new (class extends Response {
  get status() { for (;;); }
  get headers() { for (;;); }
  get body() { for (;;); }
})('ok');
