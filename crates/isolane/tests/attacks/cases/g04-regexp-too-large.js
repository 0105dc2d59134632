// So do a million alternatives.
// modes: process
// later: any
// limits: cpu=5000
// expect: limit cpu | heap | wall | code ERR_ISOLATE_CRASHED | throws *
new RegExp('(?:' + 'a|'.repeat(1e6) + 'b)').test('c');
