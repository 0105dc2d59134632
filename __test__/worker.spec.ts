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
