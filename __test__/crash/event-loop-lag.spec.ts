// Node's event loop while guests do their worst: no guest code runs on it, and what guests send is taken in
// portions. Timer lags are measured, and judged by margins that a loaded machine keeps and guest code on
// Node's thread would not: it would stop the loop for as long as a request may spin.

import test from 'ava';
import { runForAnswer } from '../support/child.js';

const PRELUDE = `
  import { IsolatePool } from 'isolane';
  const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  /** How late timers of 5 ms are while \`work\` goes on. */
  const lagsDuring = async (work) => {
    const lags = [];
    let done = false;
    const measure = (async () => {
      while (!done) {
        const began = performance.now();
        await later(5);
        lags.push(performance.now() - began - 5);
      }
    })();
    await work();
    done = true;
    await measure;
    lags.sort((a, b) => a - b);
    return { count: lags.length, p50: lags[Math.floor(lags.length / 2)], p90: lags[Math.floor(lags.length * 0.9)], max: lags.at(-1) };
  };
`;

/** A guest's turn lasts this long: a loop that waited for one would be as late. */
const SPIN_MS = 1500;

/** Half of the timers are on time and nearly all of them within this, however busy the machine. */
const MOST_LAG_MS = 400;

interface Lags {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
}

function judge(t: import('ava').ExecutionContext, lags: Lags): void {
  t.log(JSON.stringify(lags));
  t.true(lags.count > 10, JSON.stringify(lags));
  t.true(lags.p50 < MOST_LAG_MS / 4, JSON.stringify(lags));
  t.true(lags.p90 < MOST_LAG_MS, JSON.stringify(lags));
}

test.serial('four workers spin and one streams 100 MB', async (t) => {
  const lags = await runForAnswer(
    t,
    `${PRELUDE}
    const pool = new IsolatePool({ threads: 5, maxIsolates: 5, limits: { cpuMs: ${SPIN_MS}, wallMs: 60000 } });
    for (const id of ['a', 'b', 'c', 'd']) await pool.deploy(id, 'export default { fetch() { for (;;); } }');
    await pool.deploy('stream', 'export default { fetch() { let n = 0; return new Response(new ReadableStream({ pull(c) { if (n++ === 1600) c.close(); else c.enqueue(new Uint8Array(65536)) } })) } }');
    const lags = await lagsDuring(async () => {
      const spins = ['a', 'b', 'c', 'd'].map((id) => pool.fetch(id, 'http://x').then(() => 'answered', (error) => error.code));
      const response = await pool.fetch('stream', 'http://x', { limits: { cpuMs: 0, responseMb: 0 } });
      let bytes = 0;
      for await (const chunk of response.body) bytes += chunk.byteLength;
      if (bytes !== 1600 * 65536) throw new Error('the stream is short');
      const outcomes = new Set(await Promise.all(spins));
      if ([...outcomes].join() !== 'ERR_CPU_LIMIT') throw new Error([...outcomes].join());
    });
    await pool.close();
    console.log(JSON.stringify(lags));`,
  );
  judge(t, lags as Lags);
});

test.serial('a guest writes console lines without end', async (t) => {
  const lags = await runForAnswer(
    t,
    `${PRELUDE}
    let lines = 0;
    const pool = new IsolatePool({ threads: 2, limits: { cpuMs: ${SPIN_MS}, wallMs: 60000 }, onLog() { lines += 1 } });
    await pool.deploy('chatty', 'export default { fetch() { for (;;) console.log("a line") } }');
    const lags = await lagsDuring(() => pool.fetch('chatty', 'http://x').catch(() => {}));
    await pool.close();
    if (lines === 0) throw new Error('no line came');
    console.log(JSON.stringify(lags));`,
  );
  judge(t, lags as Lags);
});

test.serial('a guest calls a function of the host without end', async (t) => {
  const lags = await runForAnswer(
    t,
    `${PRELUDE}
    let calls = 0;
    const pool = new IsolatePool({ threads: 2, limits: { cpuMs: ${SPIN_MS}, wallMs: 60000 } });
    await pool.deploy('caller', { script: 'export default { async fetch(_, env) { for (;;) { const some = []; for (let n = 0; n < 2000; n++) some.push(env.f(n)); await Promise.allSettled(some) } } }', env: { f: () => { calls += 1 } } });
    const lags = await lagsDuring(() => pool.fetch('caller', 'http://x').catch(() => {}));
    await pool.close();
    if (calls < 1000) throw new Error('few calls came');
    console.log(JSON.stringify(lags));`,
  );
  judge(t, lags as Lags);
});
