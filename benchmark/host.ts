// Measures what the host notices of isolane: for how long a call keeps Node's thread, and what an idle pool
// uses of the processors. Writes a table to standard output.
//
//   npm run bench:host

import { stat } from 'node:fs/promises';
import { setTimeout as later } from 'node:timers/promises';
import { IsolatePool } from 'isolane';
import { microseconds, quantile, table } from './report.js';

const QUICK = `export default { fetch: () => new Response('hello') }`;
const SLOW = `export default { fetch() { const end = Date.now() + 5; while (Date.now() < end); return new Response('slow') } }`;
const WAITING = `export default { async fetch() { await new Promise((done) => setTimeout(done, 5)); return new Response('waited') } }`;
const ASKING = `export default { fetch: async (request, env) => new Response(await env.get('key')) }`;
const URL_OF_REQUEST = 'http://worker.test/';
const CALLS = 2000;
const IDLE_MS = 500;

/** Starts something asynchronous, and says when that has ended. */
type Call = () => Promise<unknown>;

/** How long calls take to return their promise, in microseconds. */
async function callsOf(call: Call, inFlight: number, pauseMs: number): Promise<number[]> {
  const times: number[] = [];
  while (times.length < CALLS) {
    const answers: Promise<unknown>[] = [];
    for (let n = 0; n < inFlight; n += 1) {
      const began = performance.now();
      answers.push(call());
      times.push((performance.now() - began) * 1000);
    }
    await Promise.all(answers);
    if (pauseMs > 0) await later(pauseMs);
  }
  return times;
}

/** The processor time that the process uses in IDLE_MS, from some time after it has worked on, in microseconds. */
async function idleOf(work: () => Promise<void>, afterMs: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    await work();
    sleep(afterMs);
    const before = process.cpuUsage();
    sleep(IDLE_MS);
    const { user, system } = process.cpuUsage(before);
    times.push(user + system);
  }
  return quantile(times, 0.5);
}

/** Blocks this thread, which so uses nothing itself. */
function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

async function main(): Promise<void> {
  const idle = [['idle for half a second', 'processor time']];
  idle.push(['Node without a pool', microseconds(await idleOf(async () => {}, 10))]);
  const pool = new IsolatePool();
  const rows = [['a call keeps the thread', 'p50', 'p99', 'p99.9', 'most']];
  const measure = async (name: string, call: Call, pauseMs: number) => {
    for (const inFlight of [1, 16]) {
      await callsOf(call, inFlight, pauseMs);
      const times = await callsOf(call, inFlight, pauseMs);
      const shares = [0.5, 0.99, 0.999, 1].map((share) => microseconds(quantile(times, share)));
      rows.push([`${name}, ${inFlight} in flight`, ...shares]);
    }
  };
  // What an asynchronous call of Node's own takes, which has a thread of Node's woken.
  await measure('Node: stat', () => stat('.'), 0);
  await measure('Node: stat, every 5 ms', () => stat('.'), 5);
  const workers = {
    quick: QUICK,
    'calls a function of the host': { script: ASKING, env: { get: async () => 'value' } },
    'spins for 5 ms': SLOW,
    'waits for 5 ms': WAITING,
  };
  for (const [id, worker] of Object.entries(workers)) {
    await pool.deploy(id, worker);
    await measure(id, () => pool.fetch(id, URL_OF_REQUEST), 0);
    if (id === 'quick') await measure('quick, every 5 ms', () => pool.fetch(id, URL_OF_REQUEST), 5);
  }
  console.log(`${table(rows)}\n`);
  const work = async () => {
    for (let n = 0; n < 20_000; n += 1) await pool.fetch('quick', URL_OF_REQUEST);
  };
  for (const afterMs of [0, 10, 100])
    idle.push([
      `with one, from ${afterMs} ms after its last answer on`,
      microseconds(await idleOf(work, afterMs)),
    ]);
  console.log(table(idle));
  await pool.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
