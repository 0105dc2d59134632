// The specifier's own conversion is charged.
// modes: worker context pool process
// expect: limit cpu
import({ toString() { for (;;); } });
await new Promise(() => {});
