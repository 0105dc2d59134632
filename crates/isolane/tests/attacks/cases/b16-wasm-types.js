// Modules cannot use up the process's table of types.
// modes: worker context pool process
// limits: cpu=8000 wall=30000 buffer=64
// expect: error CompileError | limit memory | cpu | response 200 refused
const leb = (n) => { const out = []; do { out.push((n & 127) | (n > 127 ? 128 : 0)); n >>>= 7; } while (n); return out; };
function types(count, seed) {
  const first = [0x5f, ...leb(seed), ...new Array(seed).fill([0x7f, 1]).flat()];
  const body = new Uint8Array(count * 4);
  for (let i = 0; i < body.length; i += 4) body.set([0x5f, 1, 0x7f, 0], i);
  const rec = [1, 0x4e, ...leb(count + 1), ...first];
  const size = rec.length + body.length;
  const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, ...leb(size), ...rec];
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}
for (let seed = 1; seed < 8; seed++) if (!WebAssembly.validate(types(900000, seed))) return new Response('refused');
return new Response('accepted');
