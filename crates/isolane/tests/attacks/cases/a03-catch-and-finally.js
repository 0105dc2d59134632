// Neither catch nor finally can hold a termination.
// modes: worker context pool process
// expect: limit cpu
for (;;) { try { for (;;); } catch { for (;;); } finally { for (;;); } }
