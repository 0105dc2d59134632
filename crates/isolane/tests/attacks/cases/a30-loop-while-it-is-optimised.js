// V8 looks rarely in a loop that begins while its function is being optimised; the caller is answered all the same.
// modes: worker context pool process
// limits: cpu=50
// requests: 12
// later: any
// expect: limit cpu | code ERR_POOL_FULL
function work(endless) {
  let sum = 0;
  for (let i = 0; i < 10; i++) sum = (sum * 31 + i) | 0;
  while (endless) sum = (sum + 1) | 0;
  return sum;
}
const calls = 300 + Math.floor(Math.random() * 1000);
for (let call = 0; call < calls; call++) work(false);
work(true);
