// What waitUntil is given is resolved in the guest's budget.
// modes: worker context pool process
// expect: limit cpu
ctx.waitUntil({ then() { for (;;); } });
await new Promise(() => {});
