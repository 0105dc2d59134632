// Guests that fill their heap, each in a process of its own: the request fails, the process goes on.

import test from 'ava';
import { runScript } from '../support/child.js';

const PATTERNS: Record<string, string> = {
  'small objects': 'const kept = []; while (true) kept.push({ a: 1, b: [2] });',
  'one array that grows': 'const kept = []; while (true) kept.push(kept.length);',
  'array spread': 'let a = [1, 2, 3]; while (true) a = [...a, ...a];',
  'string concatenation':
    'let s = "x"; const kept = []; while (true) { s += s.slice(0, 1 << 16) + Math.random(); kept.push(s.split("")); }',
  'string repeat': 'const kept = []; while (true) kept.push("ab".repeat(1 << 20).split("b"));',
  'a map': 'const m = new Map(); for (let n = 0; ; n++) m.set(n, new Array(50).fill(n));',
  closures:
    'let f = () => 0; while (true) { const g = f; const big = new Array(200).fill(1); f = () => g() + big.length; }',
  'JSON.parse':
    'const text = "[" + "[1,2,3],".repeat(1 << 18) + "0]"; const kept = []; while (true) kept.push(JSON.parse(text));',
  'after a timer':
    'await new Promise((r) => setTimeout(r, 5)); const kept = []; while (true) kept.push(new Array(1000).fill({}));',
};

for (const [name, body] of Object.entries(PATTERNS)) {
  test.serial(`heap: ${name}`, async (t) => {
    const ended = await runScript(`
      import { executePooled, IsolatePool } from 'isolane';
      const limits = { heapMb: 32, cpuMs: 0, wallMs: 30_000 };
      const worker = { script: ${JSON.stringify(`export default { async fetch() { ${body} } }`)}, limits };
      const code = await executePooled('eater', worker, 'http://x').then(() => 'none', (error) => error.code);
      const next = await executePooled('other', 'export default { fetch: () => new Response("alive") }', 'http://x');
      console.log(code, await next.text());`);
    t.deepEqual(
      [ended.stdout, ended.code, ended.signal],
      ['ERR_HEAP_LIMIT alive\n', 0, null],
      ended.stderr.slice(0, 2000),
    );
  });
}
