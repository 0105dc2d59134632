// Weak references without end are ended before V8 finds them too many.
// modes: worker context pool process
// limits: cpu=8000 wall=30000
// memory: 600
// expect: limit cpu | heap
for (let i = 0; ; i++) new WeakRef({});
