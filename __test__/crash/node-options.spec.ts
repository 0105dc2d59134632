// Node started in unusual ways: its V8 and ours are two, each with its own flags, traps and stacks.

import test from 'ava';
import { nodes, runForAnswer } from '../support/child.js';

const REQUESTS = `
  import { executePooled, Runtime, SharedIsolate, Worker } from 'isolane';
  const deep = 'export default { fetch() { let depth = 0; const f = () => { depth++; f() }; try { f() } catch (error) { return new Response(error.name + (depth > 1000)) } } }';
  const fill = { script: 'export default { fetch() { const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length)) } }', limits: { heapMb: 16, cpuMs: 0 } };
  const isolate = new SharedIsolate(), runtime = new Runtime();
  const context = await isolate.createContext(deep);
  const text = async (response) => await (await response).text();
  const answers = [
    await text(executePooled('deep', deep, 'http://x')),
    await text(new Worker(deep).fetch('http://x')),
    await text(context.fetch('http://x')),
    await runtime.evaluate('[1, 2, 3].map((n) => n * 2).join()'),
    await executePooled('fill', fill, 'http://x').catch((error) => error.code),
    await text(executePooled('deep', deep, 'http://x')),
  ];
  await Promise.all([isolate.close(), runtime.close()]);
`;
const EXPECTED = [
  'RangeErrortrue',
  'RangeErrortrue',
  'RangeErrortrue',
  '2,4,6',
  'ERR_HEAP_LIMIT',
  'RangeErrortrue',
];

const ARGUMENTS: ReadonlyArray<readonly string[]> = [
  ['--stack-size=200'],
  ['--stack-size=800', '--stack-trace-limit=1'],
  ['--max-old-space-size=64'],
  ['--jitless', '--no-expose-wasm'],
  ['--no-node-snapshot'],
  ['--no-opt', '--no-sparkplug'],
  ['--single-threaded'],
  ['--expose-gc', '--gc-interval=200'],
  ['--disallow-code-generation-from-strings'],
  ['--frozen-intrinsics', '--no-warnings'],
  ['--disable-wasm-trap-handler'],
];

for (const nodeArguments of ARGUMENTS) {
  test.serial(`node ${nodeArguments.join(' ')}`, async (t) => {
    // Options that only newer versions know are no test of an older one.
    if (nodeArguments.includes('--disable-wasm-trap-handler') && !knows('--disable-wasm-trap-handler')) {
      t.pass();
      return;
    }
    t.deepEqual(
      await runForAnswer(t, `${REQUESTS} console.log(JSON.stringify(answers));`, { nodeArguments }),
      EXPECTED,
    );
  });
}

function knows(option: string): boolean {
  return process.allowedNodeEnvironmentFlags.has(option);
}

test.serial('NODE_OPTIONS', async (t) => {
  const env = { NODE_OPTIONS: '--max-old-space-size=96 --stack-trace-limit=3 --trace-uncaught' };
  t.deepEqual(await runForAnswer(t, `${REQUESTS} console.log(JSON.stringify(answers));`, { env }), EXPECTED);
});

// A module with one function that divides 1 by its argument, and one that reads memory at it.
const TRAPS = `
  const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 3, 2, 0, 0, 5, 3, 1, 0, 1, 7, 14, 2, 3, 100, 105, 118, 0, 0, 4, 108, 111, 97, 100, 0, 1,
    10, 17, 2, 7, 0, 65, 1, 32, 0, 109, 11, 7, 0, 32, 0, 40, 2, 0, 11]);
  const { div, load } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  const traps = () => [() => div(1), () => load(0), () => div(0), () => load(70000), () => load(-8)].map((f) => { try { return f() } catch (error) { return error.constructor.name } });
`;
const TRAPPED = [1, 0, 'RuntimeError', 'RuntimeError', 'RuntimeError'];

for (const [name, node] of nodes()) {
  test.serial(
    `${name}: traps of Node's own WebAssembly, before and after the addon, beside a guest's`,
    async (t) => {
      const script = `${TRAPS}
      const before = traps();
      const { executePooled } = await import('isolane');
      const guest = async () => await (await executePooled('traps', { modules: { 'a.js': 'import module from "./t.wasm"; const { div, load } = new WebAssembly.Instance(module).exports; const traps = () => [() => div(1), () => load(0), () => div(0), () => load(70000), () => load(-8)].map((f) => { try { return f() } catch (error) { return error.constructor.name } }); export default { fetch: () => Response.json(traps()) }', './t.wasm': bytes } }, 'http://x')).json();
      const during = [await guest(), traps(), await guest()];
      const f = () => f();
      let overflow; try { f() } catch (error) { overflow = error.name }
      console.log(JSON.stringify([before, ...during, traps(), overflow]));`;
      t.deepEqual(await runForAnswer(t, script, { node }), [
        TRAPPED,
        TRAPPED,
        TRAPPED,
        TRAPPED,
        TRAPPED,
        'RangeError',
      ]);
    },
  );

  test.serial(`${name}: requests in every mode`, async (t) => {
    t.deepEqual(
      await runForAnswer(t, `${REQUESTS} console.log(JSON.stringify(answers));`, { node }),
      EXPECTED,
    );
  });
}
