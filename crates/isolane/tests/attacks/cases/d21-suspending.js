// Stacks that WebAssembly suspends end with their request.
// modes: worker context pool process
// limits: wall=500
// expect: limit wall | error *
if (typeof WebAssembly.Suspending !== 'function') throw new TypeError('there is none');
// (module (import "a" "b" (func)) (func (export "f") call 0))
const bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, 7, 1, 1, 0x61, 1, 0x62, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 1, 10, 6, 1, 4, 0, 0x10, 0, 0x0b];
const b = new WebAssembly.Suspending(() => new Promise(() => {}));
const { f } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)), { a: { b } }).exports;
const run = WebAssembly.promising(f);
const runs = [];
for (let i = 0; i < 100; i++) runs.push(run());
await Promise.all(runs);
