// So is an aggregate of a million errors.
// modes: worker context pool process
// limits: cpu=3000
// expect: throws AggregateError | limit cpu | heap
throw new AggregateError(new Array(1e6).fill(new Error('x')), 'many');
