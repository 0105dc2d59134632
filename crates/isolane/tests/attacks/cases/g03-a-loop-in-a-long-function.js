// V8 looks rarely in a long function that has not been optimised; the caller is answered all the same.
// modes: worker pool process
// later: any
// codegen: on
// expect: limit cpu | heap | code ERR_ISOLATE_CRASHED
const unused = `if (globalThis.never) {${'never.a(1, 2, 3, never.b[never.c], never.d.e.f);'.repeat(6000)}}`;
new Function(`${unused} const bytes = new Uint8Array(1 << 20); for (let i = 0; i < 300000; i++); for (;;) bytes.fill(1);`)();
