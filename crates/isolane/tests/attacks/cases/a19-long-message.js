// What is kept of a thrown text is bounded.
// modes: worker context pool process
// limits: cpu=1000
// expect: throws Error | limit memory
throw new Error('x'.repeat(1 << 25));
