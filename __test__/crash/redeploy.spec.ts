// A worker redeployed while requests run: those that had begun end on the old code, later ones run the new.

import test from 'ava';
import { repeats, runForAnswer } from '../support/child.js';

const PRELUDE = `
  import { executePooled, IsolatePool } from 'isolane';
  const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const version = (n) => 'const mine = ' + n + '; export default { async fetch(request) { await new Promise((r) => setTimeout(r, Number(new URL(request.url).searchParams.get("ms")))); return new Response(String(mine)) } }';
  const text = async (response) => await (await response).text();
`;

test.serial('requests that run end on the code they began with', async (t) => {
  const script = `${PRELUDE}
    const pool = new IsolatePool({ threads: 2, maxIsolates: 4 });
    let wrong = 0;
    for (let n = 0; n < ${repeats(20)}; n += 1) {
      await pool.deploy('a', version(n));
      const old = Array.from({ length: 10 }, (_, k) => text(pool.fetch('a', 'http://x/?ms=' + k)));
      await pool.deploy('a', version(n + 0.5));
      const young = Array.from({ length: 10 }, (_, k) => text(pool.fetch('a', 'http://x/?ms=' + k)));
      wrong += (await Promise.all(old)).filter((it) => it !== String(n)).length;
      wrong += (await Promise.all(young)).filter((it) => it !== String(n + 0.5)).length;
    }
    // The isolates of old code go when they have nothing to do.
    while (pool.stats().total > pool.stats().workers[0].isolates) await later(5);
    const { inFlight, queued } = pool.stats();
    console.log(JSON.stringify({ wrong, inFlight, queued }));
    await pool.close();`;
  t.deepEqual(await runForAnswer(t, script), { wrong: 0, inFlight: 0, queued: 0 });
});

test.serial('a response that streams goes on from the old code', async (t) => {
  const script = `${PRELUDE}
    const stream = (n) => 'export default { fetch() { let k = 0; return new Response(new ReadableStream({ async pull(c) { await new Promise((r) => setTimeout(r, 1)); if (k++ === 20) c.close(); else c.enqueue(new TextEncoder().encode("' + n + '")) } })) } }';
    const pool = new IsolatePool();
    await pool.deploy('a', stream(1));
    const old = await pool.fetch('a', 'http://x');
    await pool.deploy('a', stream(2));
    const young = await pool.fetch('a', 'http://x');
    console.log(JSON.stringify([await old.text(), await young.text(), await pool.evict('a')]));
    await pool.close();`;
  t.deepEqual(await runForAnswer(t, script), ['1'.repeat(20), '2'.repeat(20), true]);
});

test.serial('executePooled with two definitions in turn under one id', async (t) => {
  const script = `${PRELUDE}
    let wrong = 0;
    for (let n = 0; n < ${repeats(20)}; n += 1) {
      const calls = Array.from({ length: 10 }, async (_, k) => [k % 2, await text(executePooled('a', version(k % 2), 'http://x/?ms=1'))]);
      for (const [wanted, got] of await Promise.all(calls)) if (String(wanted) !== got) wrong += 1;
    }
    console.log(wrong);`;
  t.is(await runForAnswer(t, script), 0);
});

test.serial('evicting a worker lets its requests end', async (t) => {
  const script = `${PRELUDE}
    const pool = new IsolatePool();
    const outcomes = new Set();
    for (let n = 0; n < ${repeats(20)}; n += 1) {
      await pool.deploy('a', version('"fine"'));
      const calls = Array.from({ length: 5 }, (_, k) => text(pool.fetch('a', 'http://x/?ms=' + k)));
      await pool.evict('a');
      for (const outcome of await Promise.all(calls)) outcomes.add(outcome);
      outcomes.add(await pool.fetch('a', 'http://x').catch((error) => error.code));
    }
    console.log(JSON.stringify([...outcomes]));
    await pool.close();`;
  t.deepEqual(await runForAnswer(t, script), ['fine', 'ERR_UNKNOWN_WORKER']);
});
