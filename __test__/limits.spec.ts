// Limits: each ends its request with its code, in every mode, and the process and other workers go on.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import {
  executePooled,
  IsolatePool,
  type Limits,
  SharedIsolate,
  Worker,
  type WorkerDefinition,
  WorkerError,
} from '../index.js';
import { HELLO, newId, SLEEP, SPIN, URL_A } from './support/workers.js';

const ALLOCATE_HEAP = `export default { fetch() { const kept = []; while (true) kept.push(new Array(1000).fill({})) } }`;
const ALLOCATE_BUFFERS = `export default { fetch() { const kept = []; while (true) kept.push(new Uint8Array(1 << 20).fill(1)) } }`;
const RESPOND = (bytes: number) => `export default { fetch: () => new Response(new Uint8Array(${bytes})) }`;

type Run = (worker: WorkerDefinition) => Promise<unknown>;
const MODES: Record<string, Run> = {
  'pool, warm context': (worker) => executePooled(newId(), worker, URL_A),
  'pool, fresh context': (worker) => executePooled(newId(), { ...worker, context: 'fresh' }, URL_A),
  Worker: async (definition) => {
    await using worker = new Worker(definition);
    return await worker.fetch(URL_A);
  },
  SharedIsolate: async (definition) => {
    // What belongs to the isolate is given to the isolate.
    await using isolate = new SharedIsolate({ limits: definition.limits ?? {} });
    await using context = await isolate.createContext(definition);
    return await context.fetch(URL_A);
  },
};

const CASES: Array<[what: string, script: string, limits: Limits, code: string]> = [
  ['CPU time', SPIN, { cpuMs: 20 }, 'ERR_CPU_LIMIT'],
  [
    'CPU time in microtasks',
    `export default { async fetch() { while (true) await null } }`,
    { cpuMs: 20 },
    'ERR_CPU_LIMIT',
  ],
  [
    'CPU time in a regular expression',
    `export default { fetch: () => new Response(/^(a+)+$/.test('a'.repeat(40) + 'b')) }`,
    { cpuMs: 20 },
    'ERR_CPU_LIMIT',
  ],
  ['wall time while waiting', SLEEP, { wallMs: 40 }, 'ERR_WALL_LIMIT'],
  ['wall time while spinning', SPIN, { cpuMs: 0, wallMs: 40 }, 'ERR_WALL_LIMIT'],
  ['heap', ALLOCATE_HEAP, { heapMb: 24, cpuMs: 0 }, 'ERR_HEAP_LIMIT'],
  ['buffers', ALLOCATE_BUFFERS, { bufferMb: 8, cpuMs: 0 }, 'ERR_BUFFER_LIMIT'],
  ['response', RESPOND(3 << 20), { responseMb: 1, cpuMs: 0 }, 'ERR_RESPONSE_LIMIT'],
];
for (const [mode, run] of Object.entries(MODES)) {
  for (const [what, script, limits, code] of CASES) {
    test.serial(`${mode}: ${what} ends the request with ${code}`, async (t) => {
      const error = await t.throwsAsync(run({ script, limits }), { instanceOf: WorkerError, code });
      t.true(error?.usage === undefined || error.usage.wallMs >= 0);
      t.is(await (await executePooled(newId(), HELLO, 'http://x/after')).text(), 'hello /after');
    });
  }
}

test.serial('a limit ends its own request and leaves the worker usable', async (t) => {
  const id = newId();
  const script = `export default { fetch(request) { if (request.url.endsWith('/spin')) while (true) {} return new Response('fine') } }`;
  for (let n = 0; n < 3; n += 1) {
    await t.throwsAsync(executePooled(id, script, 'http://x/spin', { limits: { cpuMs: 15 } }), {
      code: 'ERR_CPU_LIMIT',
    });
    t.is(await (await executePooled(id, script, 'http://x/ok')).text(), 'fine');
  }
});

test.serial('a heap limit condemns the isolate, and the next request gets a new one', async (t) => {
  await using pool = new IsolatePool();
  await pool.deploy('hungry', {
    script: `export default { fetch(request) { if (request.url.endsWith('/eat')) { const kept = []; while (true) kept.push(new Array(1000).fill({})) } return new Response('fed') } }`,
    limits: { heapMb: 24, cpuMs: 0 },
  });
  await t.throwsAsync(pool.fetch('hungry', 'http://x/eat'), { code: 'ERR_HEAP_LIMIT' });
  t.is(await (await pool.fetch('hungry', 'http://x/ok')).text(), 'fed');
  t.is(pool.stats().condemned, 1);
});

test.serial("limits of the call go over the worker's, and those over the pool's", async (t) => {
  await using pool = new IsolatePool({ limits: { wallMs: 30 } });
  const wait = (ms: number) =>
    `export default { async fetch() { await new Promise((r) => setTimeout(r, ${ms})); return new Response('done') } }`;
  await pool.deploy('pool', wait(100));
  await pool.deploy('worker', { script: wait(100), limits: { wallMs: 5000 } });
  await t.throwsAsync(pool.fetch('pool', URL_A), { code: 'ERR_WALL_LIMIT' });
  t.is(await (await pool.fetch('worker', URL_A)).text(), 'done');
  t.is(await (await pool.fetch('pool', URL_A, { limits: { wallMs: 5000 } })).text(), 'done');
  await t.throwsAsync(pool.fetch('worker', URL_A, { limits: { wallMs: 20 } }), { code: 'ERR_WALL_LIMIT' });
});

test.serial('0 means no limit', async (t) => {
  const busy = `export default { fetch() { const end = Date.now() + 120; while (Date.now() < end); return new Response('done') } }`;
  t.is(await (await executePooled(newId(), busy, URL_A, { limits: { cpuMs: 0 } })).text(), 'done');
});

test.serial('a streamed response is limited as it flows', async (t) => {
  const script = `export default { fetch() {
    return new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(100_000)) } }));
  } }`;
  const response = await executePooled(newId(), { script, limits: { responseMb: 1, cpuMs: 0 } }, URL_A);
  const error = await t.throwsAsync(response.bytes(), { instanceOf: WorkerError });
  t.is(error?.code, 'ERR_RESPONSE_LIMIT');
});

test.serial('subrequests beyond the limit fail in the guest, and only so many run at a time', async (t) => {
  let now = 0;
  let most = 0;
  const server = createServer((_, response) => {
    now += 1;
    most = Math.max(most, now);
    setTimeout(() => {
      now -= 1;
      response.end('ok');
    }, 20);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const script = `export default { async fetch() {
    const results = await Promise.allSettled(Array.from({ length: 8 }, async () => await (await fetch('${url}')).text()));
    return Response.json(results.map((result) => result.value ?? result.reason.name));
  } }`;
  const limits = { subrequests: 5, concurrentSubrequests: 2 };
  const response = await executePooled(newId(), { script, limits, outbound: 'any' }, URL_A);
  const results = (await response.json()) as string[];
  server.close();
  t.is(results.filter((result) => result === 'ok').length, 5);
  t.is(results.filter((result) => result === 'TypeError').length, 3);
  t.true(most <= 2, `${most} at a time`);
});

test('a call that says something of its limits has the rest of them from whichever worker is deployed by then', async (t) => {
  await using pool = new IsolatePool();
  const limitOf = (limits: Limits) => pool.fetch('a', URL_A, { limits });
  await pool.deploy('a', { script: SPIN, limits: { cpuMs: 0, wallMs: 100 } });
  await t.throwsAsync(limitOf({ subrequests: 1 }), { code: 'ERR_WALL_LIMIT' });
  await pool.deploy('a', { script: SPIN, limits: { cpuMs: 20 } });
  await t.throwsAsync(limitOf({ subrequests: 1 }), { code: 'ERR_CPU_LIMIT' });
  await t.throwsAsync(limitOf({ cpuMs: 0, wallMs: 100 }), { code: 'ERR_WALL_LIMIT' });
});
