// Suspended stacks without end reach a limit.
// modes: worker context pool process
// limits: cpu=4000 wall=20000
// memory: 900
// expect: limit wall | heap | cpu | error *
if (typeof WebAssembly.Suspending !== 'function') throw new TypeError('there is none');
const bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, 7, 1, 1, 0x61, 1, 0x62, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 1, 10, 6, 1, 4, 0, 0x10, 0, 0x0b];
const b = new WebAssembly.Suspending(() => new Promise(() => {}));
const { f } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)), { a: { b } }).exports;
const run = WebAssembly.promising(f);
const runs = [];
for (;;) runs.push(run());
