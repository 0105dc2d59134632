// A loop that begins while its function is being optimised ends no later than others.
// modes: worker context pool process
// limits: cpu=50
// requests: 20
// late: 60
// expect: limit cpu
function work(endless) {
  let sum = 0;
  for (let i = 0; i < 10; i++) sum = (sum * 31 + i) | 0;
  while (endless) sum = (sum + 1) | 0;
  return sum;
}
const calls = 300 + Math.floor(Math.random() * 1000);
for (let call = 0; call < calls; call++) work(false);
work(true);
