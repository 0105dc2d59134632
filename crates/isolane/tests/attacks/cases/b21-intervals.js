// Intervals count like timers.
// modes: worker context pool process
// limits: cpu=2000 wall=1000
// expect: error QuotaExceededError
for (let i = 0; i < 1e6; i++) setInterval(() => {}, 1e9);
