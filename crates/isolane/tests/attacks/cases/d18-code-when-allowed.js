// Where code generation is on, it stays inside the limits.
// modes: worker context pool process
// codegen: on
// expect: limit cpu
new Function('for (;;);')();
