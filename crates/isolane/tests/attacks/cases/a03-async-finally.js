// Handlers of promises do not run on after a termination.
// modes: worker context pool process
// expect: limit cpu
const spin = () => { for (;;); };
const spun = (async () => { try { await null; for (;;); } catch { for (;;); } finally { for (;;); } })();
await spun.then(spin, spin).finally(spin);
