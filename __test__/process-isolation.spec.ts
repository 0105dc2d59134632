// isolation: 'process': the same answers as in-process, and a host that goes on whatever becomes of the child.
// Tests that look for the child have a process of their own.

import test from 'ava';
import {
  IsolatePool,
  type LogEntry,
  type PoolOptions,
  type WorkerDefinition,
  WorkerError,
} from '../index.js';
import { runScript } from './support/child.js';
import { ECHO, type Echo, HELLO, SLEEP, SPIN, THROW, URL_A } from './support/workers.js';

// There are no child processes on Windows: one test says so.
const onUnix = process.platform === 'win32' ? test.skip : test;
const onLinux = process.platform === 'linux' ? test : test.skip;

function processPool(options: PoolOptions = {}): IsolatePool {
  return new IsolatePool({ isolation: 'process', ...options });
}

if (process.platform === 'win32') {
  test('is refused where there is none', (t) => {
    t.throws(() => processPool(), { code: 'ERR_INVALID_ARG', message: /^isolation: / });
  });
}

onUnix('runs what was deployed', async (t) => {
  await using pool = processPool();
  await pool.deploy('a', ECHO);
  const headers = { 'x-a': 'ä' };
  const response = await pool.fetch('a', { url: 'http://x/p?q', method: 'PUT', headers, body: 'text' });
  const echo = await response.json<Echo>();
  t.like(echo, { method: 'PUT', url: 'http://x/p?q', body: 'text' });
  t.is(echo.headers['x-a'], 'ä');
  t.is((await pool.fetch('a', URL_A)).usage.start, 'warm');
});

onUnix('streams bodies both ways', async (t) => {
  await using pool = processPool();
  await pool.deploy('a', {
    script: `export default { fetch: (r) => new Response(r.body) }`,
    limits: { cpuMs: 0 },
  });
  let pulls = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulls += 1;
      if (pulls > 200) controller.close();
      else controller.enqueue(new Uint8Array(10_000).fill(pulls));
    },
  });
  const bytes = await (await pool.fetch('a', { url: URL_A, method: 'POST', body })).bytes();
  t.is(bytes.length, 2_000_000);
  t.true(bytes.every((byte, at) => byte === Math.floor(at / 10_000) + 1));
});

onUnix('calls functions of the host, and fetches through one', async (t) => {
  await using pool = processPool();
  const worker: WorkerDefinition = {
    script: `export default { async fetch(request, env) {
      const thrown = await env.store.fail().catch((error) => error.name + ' ' + error.message);
      const far = await fetch('http://far.test/x', { method: 'POST', body: 'sent' });
      return Response.json([await env.add(1n, 2n) === 3n, thrown, far.status, await far.text(), env.plain]);
    } }`,
    env: {
      plain: { a: 1 },
      add: (a: bigint, b: bigint) => a + b,
      store: {
        fail: () => {
          throw new RangeError('no');
        },
      },
    },
    outbound: async (request) => new Response(`far ${await request.text()}`, { status: 203 }),
  };
  await pool.deploy('a', worker);
  t.deepEqual(await (await pool.fetch('a', URL_A)).json(), [
    true,
    'RangeError no',
    203,
    'far sent',
    { a: 1 },
  ]);
});

onUnix('delivers console lines before the answer, to the handler that they are for', async (t) => {
  const lines: LogEntry[] = [];
  const own: LogEntry[] = [];
  await using pool = processPool({ onLog: (entry) => lines.push(entry) });
  await pool.deploy('a', `export default { fetch() { console.info('said'); return new Response('x') } }`);
  await pool.fetch('a', URL_A);
  t.deepEqual(
    lines.map(({ level, message, workerId }) => [level, message, workerId]),
    [['info', 'said', 'a']],
  );
  await pool.fetch('a', URL_A, { onLog: (entry) => own.push(entry) });
  t.deepEqual([lines.length, own.length], [1, 1]);
});

onUnix('ends requests by their limits and signals, and says what was thrown', async (t) => {
  await using pool = processPool({ limits: { cpuMs: 50, wallMs: 10_000, heapMb: 32 } });
  await pool.deploy('spin', SPIN);
  await pool.deploy('sleep', SLEEP);
  await pool.deploy('throw', THROW);
  const cpu = await t.throwsAsync(pool.fetch('spin', URL_A), {
    instanceOf: WorkerError,
    code: 'ERR_CPU_LIMIT',
  });
  t.true((cpu?.usage?.cpuMs ?? 0) >= 50);
  await t.throwsAsync(pool.fetch('sleep', URL_A, { limits: { wallMs: 100 } }), { code: 'ERR_WALL_LIMIT' });
  const thrown = await t.throwsAsync(pool.fetch('throw', URL_A), { instanceOf: WorkerError });
  t.like(thrown?.guest, { name: 'RangeError', message: 'bad /a' });
  const controller = new AbortController();
  const aborted = pool.fetch('sleep', URL_A, { signal: controller.signal });
  controller.abort(new TypeError('enough'));
  await t.throwsAsync(aborted, { instanceOf: TypeError, message: 'enough' });
  t.is(pool.stats().respawns, 0);
});

onUnix('rejects what does not load, and keeps what was there', async (t) => {
  await using pool = processPool();
  await pool.deploy('a', HELLO);
  await t.throwsAsync(pool.deploy('a', 'export default {'), {
    code: 'ERR_WORKER_SYNTAX',
    message: /worker\.js:1/,
  });
  const thrown = await t.throwsAsync(pool.deploy('a', `throw new TypeError('no'); export {}`), {
    instanceOf: WorkerError,
    code: 'ERR_WORKER_EXCEPTION',
  });
  t.is(thrown?.guest?.message, 'no');
  t.is(await (await pool.fetch('a', URL_A)).text(), 'hello /a');
  t.true(await pool.evict('a'));
  await t.throwsAsync(pool.fetch('a', URL_A), { code: 'ERR_UNKNOWN_WORKER' });
});

onUnix('runs scheduled events', async (t) => {
  await using pool = processPool();
  await pool.deploy(
    'a',
    `export default { async scheduled(event) { if (event.cron !== '* *') throw new Error() } }`,
  );
  t.true((await pool.scheduled('a', { cron: '* *' })).wallMs >= 0);
  await t.throwsAsync(pool.scheduled('a', { cron: '' }), { code: 'ERR_WORKER_EXCEPTION' });
});

/** Fatal to V8, where the time limit does not come first. */
const FATAL: WorkerDefinition = {
  script: `export default { fetch: () => new Response(/x/g[Symbol.match]("x".repeat(1 << 28)).length) }`,
  limits: { cpuMs: 20_000 },
};

onUnix('what V8 treats as fatal ends the request, and the host goes on', async (t) => {
  await using pool = processPool();
  await pool.deploy('hello', HELLO);
  await pool.deploy('fatal', FATAL);
  for (const round of [1, 2, 3]) {
    const error = await t.throwsAsync(pool.fetch('fatal', URL_A), { instanceOf: WorkerError });
    t.true(['ERR_HEAP_LIMIT', 'ERR_ISOLATE_CRASHED'].includes(error?.code ?? ''), error?.code);
    t.is(await (await pool.fetch('hello', URL_A)).text(), 'hello /a');
    t.is(pool.stats().respawns, round);
  }
});

onUnix('close() ends what goes on after the grace time', async (t) => {
  const pool = processPool({ graceMs: 50 });
  await pool.deploy('a', SLEEP);
  const waiting = t.throwsAsync(pool.fetch('a', URL_A), { code: 'ERR_POOL_CLOSED' });
  await pool.close();
  await waiting;
  await t.throwsAsync(pool.fetch('a', URL_A), { code: 'ERR_POOL_CLOSED' });
});

onUnix('the default pool can be one', async (t) => {
  const ended = await runScript(`
    import { executePooled, getPoolStats, initPool } from 'isolane';
    initPool({ isolation: 'process', processMemoryMb: 1000 });
    const code = await executePooled('fatal', ${JSON.stringify(FATAL)}, 'http://x').then(() => 'none', (error) => error.code);
    const next = await executePooled('a', ${JSON.stringify(HELLO)}, 'http://x/a');
    console.log(code, await next.text(), getPoolStats().respawns);`);
  t.deepEqual(
    [ended.stdout, ended.stderr, ended.code, ended.signal],
    ['ERR_ISOLATE_CRASHED hello /a 1\n', '', 0, null],
  );
});

/** Finds this process's children by their parent's id, which follows the name and the state. */
const CHILDREN = `
  import { readdirSync, readFileSync } from 'node:fs';
  const children = () => readdirSync('/proc').filter((id) => {
    try {
      const [state, parent] = readFileSync('/proc/' + id + '/stat', 'utf8').split(') ').at(-1).split(' ');
      return state !== 'Z' && Number(parent) === process.pid;
    } catch { return false }
  }).map(Number);`;

onLinux('all requests settle when the child is killed, and the next one works', async (t) => {
  const ended = await runScript(`
    import { IsolatePool } from 'isolane';
    ${CHILDREN}
    const pool = new IsolatePool({ isolation: 'process' });
    await pool.deploy('hello', ${JSON.stringify(HELLO)});
    await pool.deploy('sleep', ${JSON.stringify(SLEEP)});
    const codes = new Set();
    for (let round = 0; round < 5; round += 1) {
      await pool.fetch('hello', 'http://x/');
      const [child, ...others] = children();
      if (others.length > 0) throw new Error('more than one child');
      const waiting = Array.from({ length: 100 }, (_, n) => pool.fetch(n % 2 === 0 ? 'sleep' : 'hello', 'http://x/'));
      process.kill(child, 'SIGKILL');
      for (const { status, reason } of await Promise.allSettled(waiting)) if (status === 'rejected') codes.add(reason.code);
    }
    console.log([...codes].join(), await (await pool.fetch('hello', 'http://x/')).text(), pool.stats().respawns);
    await pool.close();
    console.log(children().length);`);
  t.deepEqual(
    [ended.stdout, ended.stderr, ended.code, ended.signal],
    ['ERR_ISOLATE_CRASHED hello / 5\n0\n', '', 0, null],
  );
});

for (const [how, end] of [
  ['returns', ''],
  ['exits', 'process.exit(3);'],
  ['is killed', `process.kill(process.pid, 'SIGKILL');`],
]) {
  onLinux(`no child is left behind when the parent ${how}`, async (t) => {
    const ended = await runScript(`
      import { IsolatePool } from 'isolane';
      ${CHILDREN}
      const pool = new IsolatePool({ isolation: 'process' });
      await pool.deploy('hello', ${JSON.stringify(HELLO)});
      await pool.fetch('hello', 'http://x/');
      await new Promise((resolve) => process.stdout.write(children().join() + '\\n', resolve));
      ${end}`);
    const child = Number(ended.stdout);
    t.true(child > 0, ended.stderr);
    const deadline = Date.now() + 20_000;
    while (isAlive(child) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    t.false(isAlive(child));
  });
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}
