// Runtime: scripts in, plain values out.

import test from 'ava';
import { Runtime, WorkerError } from '../index.js';

test('gives the value of a script', async (t) => {
  await using runtime = new Runtime();
  t.is(await runtime.evaluate<number>('1 + 1'), 2);
  t.is(await runtime.evaluate<string>('typeof Temporal.Now'), 'object');
  t.is(await runtime.evaluate('undefined'), undefined);
});

test('clones values of every kind', async (t) => {
  await using runtime = new Runtime();
  const value = await runtime.evaluate(`({
    map: new Map([['a', 1]]), set: new Set([2]), date: new Date(3), bytes: new Uint8Array([4, 5]),
    floats: new Float64Array([0.5]), big: 6n, regexp: /x/g, nested: [{ deep: [null, undefined] }], text: 'é😀',
  })`);
  t.deepEqual(value, {
    map: new Map([['a', 1]]),
    set: new Set([2]),
    date: new Date(3),
    bytes: new Uint8Array([4, 5]),
    floats: new Float64Array([0.5]),
    big: 6n,
    regexp: /x/g,
    nested: [{ deep: [null, undefined] }],
    text: 'é😀',
  });
});

test('awaits a promise', async (t) => {
  await using runtime = new Runtime();
  t.is(await runtime.evaluate('new Promise((resolve) => setTimeout(() => resolve("later"), 5))'), 'later');
});

test('keeps its globals between scripts', async (t) => {
  await using runtime = new Runtime();
  await runtime.evaluate('globalThis.total = 1');
  t.is(await runtime.evaluate('total += 41'), 42);
});

test('rejects with what the script threw, and its name', async (t) => {
  await using runtime = new Runtime();
  const error = await t.throwsAsync(runtime.evaluate('\nnull.x', { filename: 'my-script.js' }), {
    instanceOf: WorkerError,
    code: 'ERR_WORKER_EXCEPTION',
  });
  t.is(error?.guest?.name, 'TypeError');
  t.regex(error?.guest?.stack ?? '', /my-script\.js:2/);
  await t.throwsAsync(runtime.evaluate('Promise.reject(new Error("async"))'), {
    code: 'ERR_WORKER_EXCEPTION',
  });
});

test('rejects what does not compile, and what cannot be cloned', async (t) => {
  await using runtime = new Runtime();
  await t.throwsAsync(runtime.evaluate('1 +'), { code: 'ERR_WORKER_SYNTAX' });
  await t.throwsAsync(runtime.evaluate('() => 1'), { code: 'ERR_WORKER_EXCEPTION' });
});

test('applies limits, and goes on after them', async (t) => {
  await using runtime = new Runtime({ limits: { cpuMs: 30 } });
  await t.throwsAsync(runtime.evaluate('while (true) {}'), { code: 'ERR_CPU_LIMIT' });
  await t.throwsAsync(
    runtime.evaluate('new Promise((r) => setTimeout(r, 60_000))', { limits: { wallMs: 30 } }),
    {
      code: 'ERR_WALL_LIMIT',
    },
  );
  t.is(await runtime.evaluate('"alive"'), 'alive');
});

test('codegen is off unless asked for', async (t) => {
  await using closed = new Runtime();
  await t.throwsAsync(closed.evaluate('eval("1")'), { code: 'ERR_WORKER_EXCEPTION' });
  await using open = new Runtime({ codegen: true });
  t.is(await open.evaluate('eval("1") + new Function("return 1")()'), 2);
});

test('fetches where it may', async (t) => {
  const script = `fetch('http://host.test/a').then((response) => response.text())`;
  const outbound = (request: Request) => new Response(`${request.method} ${request.url}`);
  await using answered = new Runtime({ outbound });
  t.is(await answered.evaluate(script), 'GET http://host.test/a');
  await using alone = new Runtime({ outbound: 'none' });
  await t.throwsAsync(alone.evaluate(script), { code: 'ERR_WORKER_EXCEPTION' });
  t.throws(() => new Runtime({ outbound: 'some' as never }), {
    code: 'ERR_INVALID_ARG',
    message: /options\.outbound/,
  });
});

test('tells the memory of its isolate', async (t) => {
  await using runtime = new Runtime({ limits: { heapMb: 64 } });
  const heap = await runtime.heapStatistics();
  t.true(heap.usedHeapBytes > 0 && heap.usedHeapBytes <= heap.totalHeapBytes);
  t.true(heap.heapLimitBytes >= 32 * 2 ** 20);
  t.true(heap.externalBytes >= 0);
});

test('refuses scripts once closed', async (t) => {
  const runtime = new Runtime();
  await runtime.close();
  await runtime.close();
  await t.throwsAsync(runtime.evaluate('1'), { code: 'ERR_CLOSED' });
  await t.throwsAsync(runtime.heapStatistics(), { code: 'ERR_CLOSED' });
});
