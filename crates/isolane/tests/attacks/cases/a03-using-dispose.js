// Disposal at the end of a scope is limited.
// modes: worker context pool process
// expect: limit cpu
{ using held = { [Symbol.dispose]() { for (;;); } }; }
