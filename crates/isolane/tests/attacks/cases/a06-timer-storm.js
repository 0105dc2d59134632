// Timers that set timers end by the wall limit, or by CPU time if that is used up first.
// modes: worker context pool process
// limits: wall=400
// expect: limit wall | cpu
const again = () => setTimeout(again, 0);
again();
await new Promise(() => {});
