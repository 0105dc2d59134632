// Modules without end are ended by a limit.
// modes: worker context pool process
// limits: cpu=3000 wall=20000
// memory: 900
// expect: error * | limit memory | cpu
const kept = [];
for (let i = 0; ; i++) {
  const code = [0, 0x41, 0x80 | (i & 127), 0x80 | ((i >> 7) & 127), (i >> 14) & 63, 0x0b];
  const bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 0, 10, code.length + 2, 1, code.length, ...code];
  kept.push(new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes))));
}
