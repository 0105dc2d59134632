// AbortSignal: ends the guest's work at once, rejects with the reason, leaves others alone.

import { getEventListeners } from 'node:events';
import test from 'ava';
import { executePooled, Runtime, Worker } from '../index.js';
import { HELLO, newId, SLEEP, SPIN, URL_A } from './support/workers.js';

test.serial('a signal that was aborted before rejects at once', async (t) => {
  const reason = new Error('before');
  const error = await t.throwsAsync(
    executePooled(newId(), HELLO, URL_A, { signal: AbortSignal.abort(reason) }),
  );
  t.is(error, reason);
});

test.serial('a parked guest is given up', async (t) => {
  const reason = { any: 'value' };
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 20);
  const error: unknown = await executePooled(newId(), SLEEP, URL_A, { signal: controller.signal }).catch(
    (e: unknown) => e,
  );
  t.is(error, reason);
});

test.serial('a spinning guest is ended, and its isolate serves the next request', async (t) => {
  const id = newId();
  const script = `export default { fetch(request) { if (request.url.endsWith('/spin')) while (true) {} return new Response('next') } }`;
  await t.throwsAsync(
    executePooled(id, script, 'http://x/spin', { signal: AbortSignal.timeout(30), limits: { cpuMs: 0 } }),
    { any: true, name: 'TimeoutError' },
  );
  t.is(await (await executePooled(id, script, URL_A)).text(), 'next');
});

test.serial('other requests on the same isolate go on', async (t) => {
  const id = newId();
  const script = `export default { async fetch(request) { await new Promise((r) => setTimeout(r, 60)); return new Response(request.url) } }`;
  const controller = new AbortController();
  const others = [1, 2, 3].map(async (n) => await (await executePooled(id, script, `http://x/${n}`)).text());
  const aborted = executePooled(id, script, 'http://x/aborted', { signal: controller.signal });
  controller.abort();
  await t.throwsAsync(aborted, { any: true, name: 'AbortError' });
  t.deepEqual(await Promise.all(others), ['http://x/1', 'http://x/2', 'http://x/3']);
});

test.serial('no listener stays behind', async (t) => {
  const { signal } = new AbortController();
  const id = newId();
  for (let n = 0; n < 20; n += 1) await executePooled(id, HELLO, URL_A, { signal });
  const waiting = `export default { async fetch() { await new Promise((r) => setTimeout(r, 2)); return new Response() } }`;
  for (let n = 0; n < 5; n += 1) await executePooled(newId(), waiting, URL_A, { signal });
  t.is(getEventListeners(signal, 'abort').length, 0);
});

test.serial("one signal ends many requests, without a warning of Node's", async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const controller = new AbortController();
  const id = newId();
  const requests = Array.from({ length: 50 }, () =>
    executePooled(id, SLEEP, URL_A, { signal: controller.signal }),
  );
  controller.abort();
  const ends = await Promise.allSettled(requests);
  t.true(ends.every((end) => end.status === 'rejected' && end.reason === controller.signal.reason));
  // Node warns in a turn of its own.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', onWarning);
  t.deepEqual(warnings, []);
});

test.serial('the signal of a Request counts too', async (t) => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 10);
  const request = new Request(URL_A, { signal: controller.signal });
  await t.throwsAsync(executePooled(newId(), SLEEP, request), { any: true, name: 'AbortError' });
});

test.serial('it works in every mode', async (t) => {
  await using worker = new Worker({ script: SPIN, limits: { cpuMs: 0 } });
  await t.throwsAsync(worker.fetch(URL_A, { signal: AbortSignal.timeout(20) }), {
    any: true,
    name: 'TimeoutError',
  });
  await using runtime = new Runtime({ limits: { cpuMs: 0 } });
  await t.throwsAsync(runtime.evaluate('while (true) {}', { signal: AbortSignal.timeout(20) }), {
    any: true,
    name: 'TimeoutError',
  });
  t.is(await runtime.evaluate('1'), 1);
});

test.serial('thousands of aborts in the middle of others lose nothing', async (t) => {
  const id = newId();
  const script = `export default { async fetch(request) { await new Promise((r) => setTimeout(r, 1)); return new Response(new URL(request.url).pathname) } }`;
  const outcomes = await Promise.all(
    Array.from({ length: 2000 }, async (_, n) => {
      const controller = new AbortController();
      const request = executePooled(id, script, `http://x/${n}`, {
        signal: controller.signal,
        limits: { cpuMs: 0 },
      });
      if (n % 2 === 0) controller.abort();
      return await request.then(
        async (response) => (await response.text()) === `/${n}`,
        (error: Error) => n % 2 === 0 && error.name === 'AbortError',
      );
    }),
  );
  t.true(outcomes.every(Boolean));
});
