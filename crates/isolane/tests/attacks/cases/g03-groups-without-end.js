// Nor does it look while it reads the groups of a match that a guest made up.
// modes: worker pool process
// later: any
// limits: cpu=100
// expect: limit cpu | heap | code ERR_ISOLATE_CRASHED
RegExp.prototype[Symbol.replace].call({ flags: '', exec: () => ({ length: 2 ** 53 - 1, 0: 'a', index: 0 }) }, 'a', 'b');
