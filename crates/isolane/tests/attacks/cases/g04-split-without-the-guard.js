// Ways around the guards end the process: that is contained by a process of its own.
// modes: process
// later: any
// expect: limit cpu | heap | wall | code ERR_ISOLATE_CRASHED
RegExp.prototype[Symbol.split].call(/x/, 'x'.repeat(2 ** 28) + 'y');
