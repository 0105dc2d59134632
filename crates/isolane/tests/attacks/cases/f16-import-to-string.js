// The specifier's own conversion is charged.
// modes: worker context pool
// expect: limit cpu
import({ toString() { for (;;); } });
await new Promise(() => {});
