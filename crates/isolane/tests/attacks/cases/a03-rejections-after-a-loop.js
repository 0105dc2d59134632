// Nor is a rejection read without a limit after it.
// modes: worker context pool process
// expect: limit cpu
for (let i = 0; i < 50; i++) Promise.reject({ get stack() { for (;;); } });
for (;;);
