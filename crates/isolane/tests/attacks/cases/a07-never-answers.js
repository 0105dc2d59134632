// A promise that nobody settles ends by the wall limit, and costs no CPU time.
// modes: worker context pool process
// limits: wall=400
// cpu-at-most: 60
// expect: limit wall
await new Promise(() => {});
