// Worker: a new isolate for every request.

import test from 'ava';
import { Worker, WorkerError } from '../index.js';
import { HELLO, SLEEP, URL_A } from './support/workers.js';

test('runs each request in an isolate of its own', async (t) => {
  await using worker = new Worker(
    `let count = 0; export default { fetch: () => new Response(String(++count)) }`,
  );
  for (let n = 0; n < 3; n += 1) {
    const response = await worker.fetch(URL_A);
    t.is(await response.text(), '1');
    t.is(response.usage.start, 'isolate');
  }
});

test('runs requests at the same time', async (t) => {
  await using worker = new Worker(HELLO);
  const texts = await Promise.all(
    [1, 2, 3, 4].map(async (n) => await (await worker.fetch(`http://x/${n}`)).text()),
  );
  t.deepEqual(texts, ['hello /1', 'hello /2', 'hello /3', 'hello /4']);
});

test('runs the scheduled handler', async (t) => {
  await using worker = new Worker(`export default { scheduled() {} }`);
  const usage = await worker.scheduled({ cron: '* * * * *' });
  t.is(usage.start, 'isolate');
});

test('reports a worker that does not compile with its first request', async (t) => {
  await using worker = new Worker('export default {');
  await t.throwsAsync(worker.fetch(URL_A), { instanceOf: WorkerError, code: 'ERR_WORKER_SYNTAX' });
});

test('applies its limits', async (t) => {
  await using worker = new Worker(SLEEP, { limits: { wallMs: 40 } });
  await t.throwsAsync(worker.fetch(URL_A), { code: 'ERR_WALL_LIMIT' });
});

test('hands over what the worker logs', async (t) => {
  const messages: string[] = [];
  await using worker = new Worker(
    `export default { fetch() { console.warn('careful'); return new Response() } }`,
    {
      onLog: (entry) => messages.push(`${entry.level}: ${entry.message}`),
    },
  );
  await worker.fetch(URL_A);
  t.deepEqual(messages, ['warn: careful']);
});

test('refuses requests once closed, and ends those in flight', async (t) => {
  const worker = new Worker(SLEEP);
  const inFlight = t.throwsAsync(worker.fetch(URL_A), { code: 'ERR_CLOSED' });
  await worker.close();
  await worker.close();
  await inFlight;
  await t.throwsAsync(worker.fetch(URL_A), { code: 'ERR_CLOSED' });
  await t.throwsAsync(worker.scheduled(), { code: 'ERR_CLOSED' });
});

test('runs maxConcurrency requests at a time, and the others in the order in which they came', async (t) => {
  let running = 0;
  let most = 0;
  const began: number[] = [];
  const enter = async (n: number) => {
    began.push(n);
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
  };
  const script = `export default { async fetch(request, env) { await env.enter(Number(new URL(request.url).pathname.slice(1))); return new Response('x') } }`;
  await using worker = new Worker({ script, env: { enter } }, { maxConcurrency: 1 });
  const answers = Array.from({ length: 8 }, async (_, n) => (await worker.fetch(`http://x/${n}`)).text());
  t.deepEqual(await Promise.all(answers), Array(8).fill('x'));
  t.is(most, 1);
  t.deepEqual(began, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test('refuses requests beyond maxQueue, which may be sent again', async (t) => {
  // None is answered before all have been sent: this thread has to run the function.
  const script = `export default { fetch: async (request, env) => { await env.areSent(); return new Response() } }`;
  const options = { maxConcurrency: 1, maxQueue: 2 };
  await using worker = new Worker({ script, env: { areSent: () => true } }, options);
  const outcomes = await Promise.all(
    Array.from({ length: 5 }, () =>
      worker.fetch(URL_A).then(
        (response) => response.status,
        (error: WorkerError) => error.code,
      ),
    ),
  );
  t.deepEqual(outcomes, [200, 200, 200, 'ERR_POOL_FULL', 'ERR_POOL_FULL']);
  t.is((await worker.fetch(URL_A)).status, 200);
});

test('a request that waits for its turn is aborted, or ended by close()', async (t) => {
  const worker = new Worker(SLEEP, { maxConcurrency: 1 });
  const running = t.throwsAsync(worker.fetch(URL_A), { code: 'ERR_CLOSED' });
  const controller = new AbortController();
  const aborted = t.throwsAsync(worker.fetch(URL_A, { signal: controller.signal }), {
    any: true,
    name: 'AbortError',
  });
  const waiting = t.throwsAsync(worker.fetch(URL_A), { code: 'ERR_CLOSED' });
  controller.abort();
  await aborted;
  await worker.close();
  await Promise.all([running, waiting]);
});

test('its options are checked', (t) => {
  t.throws(() => new Worker(HELLO, { maxConcurrency: 0 }), {
    code: 'ERR_INVALID_ARG',
    message: /maxConcurrency/,
  });
  t.throws(() => new Worker(HELLO, { maxQueue: -1 }), { code: 'ERR_INVALID_ARG', message: /maxQueue/ });
});
