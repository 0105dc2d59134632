// executePooled: one call that deploys where needed, runs, and answers.

import test from 'ava';
import { executePooled, getPoolStats, initPool, WorkerError } from '../index.js';
import { ECHO, type Echo, HELLO, newId, THROW, URL_A } from './support/workers.js';

test('answers with what the worker responds', async (t) => {
  const response = await executePooled(newId(), HELLO, 'http://x/world');
  t.is(response.status, 200);
  t.true(response.ok);
  t.is(response.statusText, '');
  t.is(response.headers.get('content-type'), 'text/plain;charset=UTF-8');
  t.is(await response.text(), 'hello /world');
});

test('says what the request used', async (t) => {
  const id = newId();
  const { usage } = await executePooled(id, HELLO, URL_A);
  t.true(usage.cpuMs > 0 && usage.cpuMs < 1000);
  t.true(usage.wallMs > 0);
  t.true(usage.heapUsedBytes > 10_000);
  t.is(usage.start, 'isolate');
  const { usage: second } = await executePooled(id, HELLO, URL_A);
  t.is(second.start, 'warm');
});

test('keeps module state between requests with the same definition', async (t) => {
  const counter = `let count = 0; export default { fetch: () => new Response(String(++count)) }`;
  const id = newId();
  t.is(await (await executePooled(id, counter, URL_A)).text(), '1');
  t.is(await (await executePooled(id, { script: counter }, URL_A)).text(), '2');
  t.is(await (await executePooled(id, { script: counter, env: {} }, URL_A)).text(), '3');
});

test('redeploys when the definition has changed', async (t) => {
  const id = newId();
  const version = (n: number) =>
    `export default { fetch: (_, env) => new Response('v${n}' + (env.suffix ?? '')) }`;
  t.is(await (await executePooled(id, version(1), URL_A)).text(), 'v1');
  t.is(await (await executePooled(id, version(2), URL_A)).text(), 'v2');
  t.is(await (await executePooled(id, { script: version(2), env: { suffix: '!' } }, URL_A)).text(), 'v2!');
  t.is(await (await executePooled(id, version(1), URL_A)).text(), 'v1');
});

test('keeps workers apart', async (t) => {
  const leak = `globalThis.seen = (globalThis.seen ?? 0) + 1; export default { fetch: () => new Response(String(globalThis.seen)) }`;
  t.is(await (await executePooled(newId(), leak, URL_A)).text(), '1');
  t.is(await (await executePooled(newId(), leak, URL_A)).text(), '1');
});

test('takes a URL, a Request, or its parts', async (t) => {
  const id = newId();
  const run = async (request: Parameters<typeof executePooled>[2]) =>
    (await (await executePooled(id, ECHO, request)).json()) as Echo;
  t.is((await run('http://x')).url, 'http://x/');
  t.is((await run(new URL('http://x/a?b#c'))).url, 'http://x/a?b#c');
  const fromRequest = await run(
    new Request('http://x/r', { method: 'POST', body: 'hi', headers: { 'x-a': '1' } }),
  );
  t.is(fromRequest.method, 'POST');
  t.is(fromRequest.headers['x-a'], '1');
  t.is(fromRequest.body, 'hi');
  const fromParts = await run({ url: 'http://x/p', method: 'put', headers: [['X-B', '2']], body: 'ho' });
  t.is(fromParts.method, 'PUT');
  t.is(fromParts.headers['x-b'], '2');
  t.is(fromParts.headers['content-type'], 'text/plain;charset=UTF-8');
  t.is(fromParts.body, 'ho');
});

test('runs many requests at a time', async (t) => {
  const id = newId();
  const paths = Array.from({ length: 500 }, (_, n) => `/${n}`);
  const texts = await Promise.all(
    paths.map(async (path) => await (await executePooled(id, HELLO, `http://x${path}`)).text()),
  );
  t.deepEqual(
    texts,
    paths.map((path) => `hello ${path}`),
  );
});

test('rejects with what the guest threw', async (t) => {
  const error = await t.throwsAsync(executePooled(newId(), THROW, 'http://x/thing'), {
    instanceOf: WorkerError,
    code: 'ERR_WORKER_EXCEPTION',
  });
  t.is(error?.guest?.name, 'RangeError');
  t.is(error?.guest?.message, 'bad /thing');
  t.regex(error?.guest?.stack ?? '', /worker\.js/);
  t.is(error?.name, 'WorkerError');
  t.true((error?.usage?.wallMs ?? -1) >= 0);
});

test('rejects a script that does not compile, with its place', async (t) => {
  const error = await t.throwsAsync(executePooled(newId(), 'export default {\n  fetch( {{ }\n}', URL_A), {
    instanceOf: WorkerError,
    code: 'ERR_WORKER_SYNTAX',
  });
  t.regex(error?.message ?? '', /worker\.js:2:\d+/);
});

test('rejects when there is no handler, or no response', async (t) => {
  await t.throwsAsync(executePooled(newId(), 'export default {}', URL_A), { code: 'ERR_NO_HANDLER' });
  await t.throwsAsync(executePooled(newId(), 'export default { fetch: () => 5 }', URL_A), {
    code: 'ERR_NO_RESPONSE',
  });
  const ended =
    'export default { async fetch() { await new Promise((f) => setTimeout(f, 1)); await new Promise(() => {}) } }';
  await t.throwsAsync(executePooled(newId(), ended, URL_A), { code: 'ERR_NO_RESPONSE' });
});

test('a handler that waits for nothing of the host ends by its wall limit', async (t) => {
  const script = 'export default { fetch: () => new Promise(() => {}) }';
  const forever = executePooled(newId(), { script, limits: { wallMs: 100 } }, URL_A);
  await t.throwsAsync(forever, { code: 'ERR_WALL_LIMIT' });
});

test.serial('counts in the stats of the default pool', async (t) => {
  const id = newId();
  await executePooled(id, HELLO, URL_A);
  const before = getPoolStats();
  await executePooled(id, HELLO, URL_A);
  const after = getPoolStats();
  t.is(after.hits, before.hits + 1);
  t.true(after.total >= 1 && after.total <= after.capacity);
  t.true(after.workers.some((worker) => worker.id === id && worker.requests >= 2));
});

test('the default pool cannot be configured after its first use', async (t) => {
  await executePooled(newId(), HELLO, URL_A);
  t.throws(() => initPool({ maxIsolates: 3 }), { instanceOf: WorkerError, code: 'ERR_POOL_INITIALIZED' });
});
