// A with over a proxy in sloppy code is charged.
// modes: worker context pool process
// codegen: on
// expect: limit cpu
new Function('scope', 'with (scope) { return name; }')(new Proxy({}, { has() { for (;;); } }));
