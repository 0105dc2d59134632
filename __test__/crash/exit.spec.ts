// Processes that end in the middle: no hang, no crash, the exit code that was asked for.

import test from 'ava';
import { type ChildOptions, runScript } from '../support/child.js';

const IN_FLIGHT = `
  import { executePooled, IsolatePool, Runtime, SharedIsolate, Worker } from 'isolane';
  const sleep = 'export default { async fetch() { await new Promise((r) => setTimeout(r, 60000)); return new Response() } }';
  const spin = { script: 'export default { fetch() { while (true) {} } }', limits: { cpuMs: 0 } };
  const worker = new Worker(spin), runtime = new Runtime({ limits: { cpuMs: 0 } }), isolate = new SharedIsolate();
  const context = await isolate.createContext(sleep);
  const calls = [executePooled('sleep', sleep, 'http://x'), executePooled('spin', spin, 'http://x'), worker.fetch('http://x'),
    runtime.evaluate('while (true) {}'), context.fetch('http://x')];
  for (const call of calls) call.catch(() => {});
  await new Promise((r) => setTimeout(r, 100));
  console.log('ready');`;

test.serial('process.exit with requests in flight', async (t) => {
  const ended = await runScript(`${IN_FLIGHT} process.exit(7);`);
  t.deepEqual([ended.stdout, ended.stderr, ended.code, ended.signal], ['ready\n', '', 7, null]);
  t.true(ended.milliseconds < 20_000);
});

test.serial('an uncaught exception with requests in flight', async (t) => {
  const ended = await runScript(`${IN_FLIGHT} throw new Error('on purpose');`);
  t.is(ended.code, 1);
  t.regex(ended.stderr, /on purpose/);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test.serial(`${signal} with requests in flight`, async (t) => {
    const options: ChildOptions = { signal };
    const ended = await runScript(IN_FLIGHT, options);
    t.deepEqual([ended.code, ended.signal], [null, signal]);
    t.true(ended.milliseconds < 20_000);
  });
}

test.serial('process.exit again and again right after a request', async (t) => {
  for (let n = 0; n < 5; n += 1) {
    const ended = await runScript(`
      import { executePooled } from 'isolane';
      await executePooled('a', 'export default { fetch: () => new Response() }', 'http://x');
      process.exit(${n});`);
    t.deepEqual([ended.code, ended.signal, ended.stderr], [n, null, '']);
  }
});

test.serial('a log handler that throws is an uncaught exception of the host', async (t) => {
  const ended = await runScript(`
    import { executePooled } from 'isolane';
    process.on('uncaughtException', (error) => console.log('uncaught', error.message));
    const response = await executePooled('a', 'export default { fetch() { console.log("x"); return new Response("fine") } }', 'http://x',
      { onLog() { throw new Error('mine') } });
    console.log(await response.text());
    await new Promise((r) => setTimeout(r, 50));`);
  t.is(ended.code, 0);
  t.deepEqual(ended.stdout.trim().split('\n').sort(), ['fine', 'uncaught mine']);
});
