// The keys of a text of 256 MB end the process, or hold it: that is contained by a process of its own.
// modes: process
// later: any
// expect: limit cpu | heap | wall | code ERR_ISOLATE_CRASHED
Object.getOwnPropertyNames('x'.repeat(2 ** 28) + 'y');
