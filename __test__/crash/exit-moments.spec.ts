// Processes that end at random moments while isolates are busy, as they do in production: with the exit code
// that was asked for, by no signal of their own, within two seconds, also where others take all processors.

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { type ChildOptions, type Ended, repeats, runScript } from '../support/child.js';

/** Eight busy isolates in all modes: spinning, waiting, streaming, filling their heaps; then `end` at a random moment. */
function busy(end: string, when: string): string {
  return `
  import { executePooled, IsolatePool, Runtime, SharedIsolate, Worker } from 'isolane';
  const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const spin = { script: 'export default { fetch() { for (;;); } }', limits: { cpuMs: 0 } };
  const sleep = 'export default { async fetch() { await new Promise((r) => setTimeout(r, 60000)); return new Response() } }';
  const short = 'export default { async fetch() { await new Promise((r) => setTimeout(r, 1)); return new Response("x") } }';
  const stream = 'export default { fetch: () => new Response(new ReadableStream({ async pull(c) { await new Promise((r) => setTimeout(r, 1)); c.enqueue(new Uint8Array(1000)) } })) }';
  const fill = { script: 'export default { fetch() { const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length)) } }', limits: { heapMb: 16, cpuMs: 0 } };
  const chatty = { script: 'export default { async fetch(_, env) { for (;;) { console.log("line"); await env.f("x") } } }', env: { f: (x) => x }, limits: { cpuMs: 0 } };
  const pool = new IsolatePool({ threads: 2, onLog() {} }), isolate = new SharedIsolate(), runtime = new Runtime({ limits: { cpuMs: 0 } });
  const worker = new Worker(sleep), filler = new Worker(fill);
  let filled; const limit = new Promise((resolve) => { filled = resolve });
  const again = async (once) => { for (;;) await once().catch(() => {}) };
  const read = async (response) => { for await (const chunk of response.body); };
  for (const [id, it] of Object.entries({ spin, sleep, short, stream, chatty })) pool.deploy(id, it).then(() => again(() => pool.fetch(id, 'http://x').then(read)), () => {});
  again(() => executePooled('short', short, 'http://x'));
  again(() => worker.fetch('http://x'));
  again(() => filler.fetch('http://x').catch(filled));
  again(() => runtime.evaluate('for (;;);'));
  again(() => isolate.createContext(short).then((context) => context.fetch('http://x').finally(() => context.close())));
  ${when};
  console.log(Date.now());
  ${end}`;
}

interface Ending {
  readonly script: string;
  readonly signal?: NodeJS.Signals;
  readonly expected: { code: number | null; signal: NodeJS.Signals | null };
}

const RANDOM = 'await later(Math.random() * 150)';
const ENDINGS: Record<string, Ending> = {
  'process.exit()': { script: busy('process.exit(7);', RANDOM), expected: { code: 7, signal: null } },
  'process.exit() a millisecond after a heap limit': {
    script: busy('process.exit(8);', 'await limit; await later(1)'),
    expected: { code: 8, signal: null },
  },
  'process.exit() in a callback of a guest': {
    script: busy(
      `await pool.deploy('exit', { script: 'export default { fetch: (_, env) => env.exit() }', env: { exit: () => process.exit(9) } }); await pool.fetch('exit', 'http://x');`,
      RANDOM,
    ),
    expected: { code: 9, signal: null },
  },
  'an uncaught exception': {
    script: busy(`console.error = () => {}; setTimeout(() => { throw new Error('on purpose') });`, RANDOM),
    expected: { code: 1, signal: null },
  },
  SIGTERM: { script: busy('', RANDOM), signal: 'SIGTERM', expected: { code: null, signal: 'SIGTERM' } },
  SIGINT: { script: busy('', RANDOM), signal: 'SIGINT', expected: { code: null, signal: 'SIGINT' } },
  'a handler of SIGTERM that exits': {
    script: busy(
      `process.on('SIGTERM', () => process.exit(5)); process.kill(process.pid, 'SIGTERM');`,
      RANDOM,
    ),
    expected: { code: 5, signal: null },
  },
};

/** From when the child said that it ends; creating a process is not counted. */
const LONGEST_MS = 2000;

/** Runs a script that says when it ends, and checks how it did and that it did so in time. */
async function endsInTime(
  t: ExecutionContext,
  script: string,
  expected: Ending['expected'],
  options: ChildOptions = {},
): Promise<Ended> {
  const ended = await runScript(script, options);
  const took = Date.now() - Number(ended.stdout);
  t.deepEqual({ code: ended.code, signal: ended.signal }, expected, ended.stderr.slice(0, 4000));
  t.true(took < LONGEST_MS, `took ${took} ms ${ended.late ?? ''}`);
  return ended;
}

for (const [name, { script, signal, expected }] of Object.entries(ENDINGS)) {
  test.serial(`${name} while everything is busy`, async (t) => {
    for (let n = 0; n < repeats(3); n += 1) {
      const ended = await endsInTime(t, script, expected, signal === undefined ? {} : { signal });
      if (name !== 'an uncaught exception') t.is(ended.stderr, '');
    }
  });
}

/** Threads of low priority have to end too, and free their memory, before the process has ended. */
test.serial(
  'SIGTERM beside processes that take all processors, after workers used up their limits',
  async (t) => {
    const limited = `
    import { IsolatePool } from 'isolane';
    const pool = new IsolatePool();
    const spin = { script: 'export default { fetch() { for (;;); } }', limits: { cpuMs: 10 } };
    const fill = { script: 'export default { fetch() { const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length)) } }', limits: { heapMb: 16, cpuMs: 2000 } };
    await pool.deploy('spin', spin);
    await pool.deploy('fill', fill);
    const again = async (id) => { for (;;) await pool.fetch(id, 'http://x').catch(() => {}) };
    // A first time each, after which the pool knows them.
    await Promise.allSettled([pool.fetch('spin', 'http://x'), pool.fetch('fill', 'http://x')]);
    for (const id of ['spin', 'fill', 'spin']) again(id);
    await pool.fetch('spin', 'http://x').catch(() => {});
    console.log(Date.now());`;
    for (let n = 0; n < repeats(3); n += 1) {
      const others = Array.from({ length: availableParallelism() }, () =>
        spawn(process.execPath, ['--eval', 'for (;;);'], { stdio: 'ignore' }),
      );
      try {
        const expected = { code: null, signal: 'SIGTERM' } as const;
        const ended = await endsInTime(t, limited, expected, { signal: 'SIGTERM' });
        t.is(ended.stderr, '');
      } finally {
        for (const other of others) other.kill('SIGKILL');
      }
    }
  },
);

test.serial('process.exitCode and a natural end, once everything was closed or has ended', async (t) => {
  for (let n = 0; n < repeats(3); n += 1) {
    const script = `
      import { executePooled, IsolatePool, Runtime, SharedIsolate, Worker } from 'isolane';
      const short = 'export default { async fetch() { await new Promise((r) => setTimeout(r, 5)); return new Response("x") } }';
      const pool = new IsolatePool(), isolate = new SharedIsolate(), runtime = new Runtime(), worker = new Worker(short);
      await pool.deploy('a', short);
      const context = await isolate.createContext(short);
      const calls = [pool.fetch('a', 'http://x'), executePooled('a', short, 'http://x'), worker.fetch('http://x'), context.fetch('http://x'), runtime.evaluate('1')];
      // Nothing is closed: what is idle does not keep the process.
      await Promise.all(calls);
      process.exitCode = 6;
      console.log(Date.now());`;
    const ended = await endsInTime(t, script, { code: 6, signal: null });
    t.is(ended.stderr, '');
  }
});
