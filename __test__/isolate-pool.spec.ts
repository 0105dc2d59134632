// IsolatePool: deploy, run, evict, count, close.

import test from 'ava';
import { IsolatePool, WorkerError } from '../index.js';
import { HELLO, SLEEP, URL_A } from './support/workers.js';

test.serial('runs what was deployed', async (t) => {
  await using pool = new IsolatePool();
  await pool.deploy('a', HELLO);
  t.is(await (await pool.fetch('a', 'http://x/there')).text(), 'hello /there');
});

test.serial('refuses ids that nothing was deployed under', async (t) => {
  await using pool = new IsolatePool();
  await t.throwsAsync(pool.fetch('nobody', URL_A), { instanceOf: WorkerError, code: 'ERR_UNKNOWN_WORKER' });
  await t.throwsAsync(pool.scheduled('nobody'), { instanceOf: WorkerError, code: 'ERR_UNKNOWN_WORKER' });
});

test.serial('refuses to deploy what does not load, and keeps what was there', async (t) => {
  await using pool = new IsolatePool();
  await pool.deploy('a', HELLO);
  await t.throwsAsync(pool.deploy('a', 'export default {'), { code: 'ERR_WORKER_SYNTAX' });
  await t.throwsAsync(pool.deploy('a', 'throw new TypeError("at load")'), { code: 'ERR_WORKER_EXCEPTION' });
  t.is(await (await pool.fetch('a', 'http://x/still')).text(), 'hello /still');
});

test.serial('deploying again replaces the worker', async (t) => {
  await using pool = new IsolatePool();
  for (const n of [1, 2, 3]) {
    await pool.deploy('a', `export default { fetch: () => new Response('v${n}') }`);
    t.is(await (await pool.fetch('a', URL_A)).text(), `v${n}`);
  }
});

test.serial('pools have their own workers', async (t) => {
  await using one = new IsolatePool();
  await using two = new IsolatePool();
  await one.deploy('a', HELLO);
  await t.throwsAsync(two.fetch('a', URL_A), { code: 'ERR_UNKNOWN_WORKER' });
});

test.serial('runs the scheduled handler, and gives what it used', async (t) => {
  const messages: string[] = [];
  await using pool = new IsolatePool({ onLog: ({ message }) => messages.push(message) });
  await pool.deploy(
    'cron',
    `export default {
      async scheduled(event, env, ctx) {
        console.log(event.cron, new Date(event.scheduledTime).toISOString());
        ctx.waitUntil(new Promise((resolve) => setTimeout(() => { console.log('later'); resolve(); }, 5)));
      },
    }`,
  );
  const usage = await pool.scheduled('cron', { cron: '*/5 * * * *', scheduledTime: new Date(0) });
  t.deepEqual(messages, ['*/5 * * * * 1970-01-01T00:00:00.000Z', 'later']);
  t.true(usage.wallMs >= 4);
  await t.throwsAsync(pool.fetch('cron', URL_A), { code: 'ERR_NO_HANDLER' });
});

test.serial('evict takes a worker out', async (t) => {
  await using pool = new IsolatePool();
  await pool.deploy('a', HELLO);
  await pool.fetch('a', URL_A);
  t.true(await pool.evict('a'));
  t.false(await pool.evict('b'));
});

test.serial('stays within maxIsolates by evicting the least recently used', async (t) => {
  await using pool = new IsolatePool({ maxIsolates: 3 });
  for (let n = 0; n < 12; n += 1) {
    await pool.deploy(`w${n}`, HELLO);
    await pool.fetch(`w${n}`, URL_A);
  }
  const stats = pool.stats();
  t.is(stats.capacity, 3);
  t.true(stats.total <= 3, `${stats.total} isolates`);
  t.true(stats.evictions >= 9, `${stats.evictions} evictions`);
  t.is(await (await pool.fetch('w0', 'http://x/back')).text(), 'hello /back');
});

test.serial('refuses more requests than maxQueue lets wait', async (t) => {
  await using pool = new IsolatePool({
    maxIsolates: 1,
    maxIsolatesPerWorker: 1,
    threads: 1,
    maxQueue: 2,
    graceMs: 0,
  });
  await pool.deploy(
    'busy',
    `export default { fetch() { const end = Date.now() + 40; while (Date.now() < end); return new Response('ok') } }`,
  );
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => pool.fetch('busy', URL_A, { limits: { cpuMs: 5000 } })),
  );
  const codes = results.map((result) =>
    result.status === 'rejected' ? (result.reason as WorkerError).code : 'ok',
  );
  t.true(codes.includes('ok'));
  t.true(codes.includes('ERR_POOL_FULL'));
  t.true(
    codes.every((code) => code === 'ok' || code === 'ERR_POOL_FULL'),
    codes.join(),
  );
});

test.serial('close ends what is in flight after graceMs, and refuses the rest', async (t) => {
  const pool = new IsolatePool({ graceMs: 30 });
  await pool.deploy('slow', SLEEP);
  const inFlight = pool.fetch('slow', URL_A);
  const refused = t.throwsAsync(inFlight, { code: 'ERR_POOL_CLOSED' });
  await Promise.all([pool.close(), pool.close()]);
  await refused;
  await pool.close();
  await t.throwsAsync(pool.fetch('slow', URL_A), { code: 'ERR_POOL_CLOSED' });
  await t.throwsAsync(pool.deploy('slow', HELLO), { code: 'ERR_POOL_CLOSED' });
});

test.serial('close lets requests finish within graceMs', async (t) => {
  const pool = new IsolatePool({ graceMs: 5000 });
  await pool.deploy(
    'a',
    `export default { async fetch() { await new Promise((r) => setTimeout(r, 50)); return new Response('in time') } }`,
  );
  const response = pool.fetch('a', URL_A);
  const closed = pool.close();
  t.is(await (await response).text(), 'in time');
  await closed;
});

test.serial('many workers share few isolates', async (t) => {
  await using pool = new IsolatePool({ maxIsolates: 5 });
  const ids = Array.from({ length: 20 }, (_, n) => `w${n}`);
  await Promise.all(
    ids.map((id) => pool.deploy(id, `export default { fetch: () => new Response('${id}') }`)),
  );
  const texts = await Promise.all(
    Array.from({ length: 300 }, async (_, n) => {
      const id = ids[n % ids.length] as string;
      return [id, await (await pool.fetch(id, URL_A)).text()] as const;
    }),
  );
  t.true(texts.every(([id, text]) => id === text));
  t.true(pool.stats().total <= 5 + 1);
});
