// A module of 24 MB of code is refused, or counted.
// modes: worker context pool process
// limits: cpu=3000 wall=20000
// late: 3000
// memory: 900
// expect: error * | limit memory | cpu | response 200 ok
const leb = (n) => { const out = []; do { out.push((n & 127) | (n > 127 ? 128 : 0)); n >>>= 7; } while (n); return out; };
const functions = 4, length = 6 << 20;
const body = new Uint8Array(length).fill(1);
body[0] = 0;
body[length - 1] = 0x0b;
const sizes = leb(length);
const code = [functions, ...new Array(functions).fill(0)];
const section = 1 + functions * (sizes.length + length);
const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, functions + 1, functions, ...new Array(functions).fill(0), 10, ...leb(section), functions];
const bytes = new Uint8Array(head.length + section - 1);
bytes.set(head);
for (let i = 0, at = head.length; i < functions; i++) {
  bytes.set(sizes, at);
  bytes.set(body, at + sizes.length);
  at += sizes.length + length;
}
const module = new WebAssembly.Module(bytes);
new WebAssembly.Instance(module);
return new Response('ok');
