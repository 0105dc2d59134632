// Requests, streams, host functions and aborts by the hundred thousand, from Node: prints what the process
// holds meanwhile (resident memory, JavaScript heap, handles, threads), and fails where something is not given
// back. What it left running is closed, so that the process ends by itself.
//
//   npm run soak                        200 000 requests, and a tenth to a hundredth of the rest
//   npm run soak -- --requests 20000    so many
//
// Run with --expose-gc, or what is garbage is measured along.

import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { executePooled, IsolatePool, Runtime, SharedIsolate, Worker } from 'isolane';

interface Case {
  readonly name: string;
  readonly count: number;
  /** Callers at a time. */
  readonly callers: number;
  /** What one of them may leave behind, in bytes. */
  readonly allowed: number;
  readonly once: (n: number) => Promise<unknown>;
}

interface Sample {
  readonly units: number;
  readonly resident: number;
  readonly heap: number;
  readonly handles: number;
  readonly threads: number;
}

const SAMPLES = 20;

/** Growth that is within the noise of allocators and garbage collectors, in bytes. */
const NOISE = 12 * 2 ** 20;

const URL_OF_REQUEST = 'http://soak.test/path';
const HELLO = `export default { fetch: (request) => new Response('hello ' + request.url) }`;
const LATER = `export default { async fetch() { await new Promise((r) => setTimeout(r, 1)); return new Response('later') } }`;
const SLEEP = `export default { async fetch() { await new Promise((r) => setTimeout(r, 60_000)); return new Response() } }`;
const ECHO = `export default { fetch: (request) => new Response(request.body) }`;
const ENDLESS = `export default { fetch: () => new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1000)) } })) }`;
const CALLS = `export default { async fetch(_, env) { console.log('called'); return new Response(await env.give({ bytes: new Uint8Array(100) })) } }`;
const OUTBOUND = `export default { fetch: () => fetch('http://outside.test/') }`;
const THROWS = `export default { fetch() { throw new RangeError('on purpose') } }`;
const SPINS = { script: `export default { fetch() { for (;;); } }`, limits: { cpuMs: 4 } };

const calls = { script: CALLS, env: { give: async () => 'given' } };
const outbound = { script: OUTBOUND, outbound: () => new Response('answered') };

async function text(id: string, worker: Parameters<typeof executePooled>[1], request = URL_OF_REQUEST) {
  return await (await executePooled(id, worker, request)).text();
}

async function expectCode(call: Promise<unknown>, code: string): Promise<void> {
  const outcome = await call.then(
    () => 'an answer',
    (error: { code?: unknown; name: string }) => (typeof error.code === 'string' ? error.code : error.name),
  );
  if (outcome !== code) throw new Error(`expected ${code}, got ${outcome}`);
}

function chunks(): ReadableStream<Uint8Array> {
  let left = 5;
  return new ReadableStream({
    pull(controller) {
      if (left-- === 0) controller.close();
      else controller.enqueue(new Uint8Array(2000));
    },
  });
}

async function streamBoth(): Promise<void> {
  const request = { url: URL_OF_REQUEST, method: 'POST', body: chunks() };
  const response = await executePooled('echo', ECHO, request);
  if ((await response.bytes()).length !== 10_000) throw new Error('the stream is short');
}

async function leaveStream(n: number): Promise<void> {
  const response = await executePooled('endless', ENDLESS, URL_OF_REQUEST);
  // Some are cancelled, some are dropped without being touched.
  if (n % 2 === 0) await response.body?.cancel();
}

async function abort(n: number): Promise<void> {
  const controller = new AbortController();
  const call = executePooled('sleep', SLEEP, URL_OF_REQUEST, { signal: controller.signal });
  if (n % 4 === 0) setImmediate(() => controller.abort());
  else controller.abort();
  await expectCode(call, 'AbortError');
}

async function everyMode(): Promise<void> {
  const pool = new IsolatePool({ threads: 1 });
  const worker = new Worker(HELLO);
  const isolate = new SharedIsolate();
  const runtime = new Runtime();
  await pool.deploy('a', HELLO);
  const context = await isolate.createContext(HELLO);
  await Promise.all([
    pool.fetch('a', URL_OF_REQUEST),
    worker.fetch(URL_OF_REQUEST),
    context.fetch(URL_OF_REQUEST),
    runtime.evaluate('1'),
  ]);
  await Promise.all([pool.close(), worker.close(), isolate.close(), runtime.close()]);
}

function cases(requests: number): Case[] {
  const many = Math.ceil(requests / 10);
  const few = Math.ceil(requests / 100);
  const one = (name: string, count: number, allowed: number, callers: number, once: Case['once']): Case => ({
    name,
    count,
    allowed,
    callers,
    once,
  });
  return [
    one('requests', requests, 20, 16, () => text('hello', HELLO)),
    one('requests that wait', many, 100, 64, () => text('later', LATER)),
    one('streams both ways', many, 200, 8, streamBoth),
    one('streams that are not read', many, 200, 4, leaveStream),
    one('host functions and console lines', many, 200, 16, () => text('calls', calls)),
    one('outbound functions', many, 200, 16, () => text('outbound', outbound)),
    one('aborted', many, 200, 8, abort),
    one('thrown', many, 200, 16, () => expectCode(text('throws', THROWS), 'ERR_WORKER_EXCEPTION')),
    one('ended by the CPU limit', few, 2000, 1, () => expectCode(text('spins', SPINS), 'ERR_CPU_LIMIT')),
    one('redeployed', few, 2000, 1, (n) => text('redeployed', `${HELLO} // ${n}`)),
    one('pools, workers, contexts, runtimes', few, 4000, 1, everyMode),
  ];
}

/** As many times as asked, by several callers. */
async function repeat({ once, callers }: Case, from: number, until: number): Promise<void> {
  let next = from;
  const caller = async () => {
    while (next < until) {
      next += 1;
      await once(next);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

async function sample(units: number): Promise<Sample> {
  // Twice, with a turn of the loop between: what finalizers let go is garbage only then.
  for (let n = 0; n < 2; n += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { units, resident: rss, heap: heapUsed, handles: count('fd'), threads: count('task') };
}

function count(what: string): number {
  return process.platform === 'linux' ? readdirSync(`/proc/self/${what}`).length : 0;
}

/** Bytes a unit, by least squares over the second half of the samples. */
function slope(samples: readonly Sample[], of: 'resident' | 'heap'): number {
  const half = samples.slice(Math.floor(samples.length / 2));
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const x = mean(half.map(({ units }) => units));
  const y = mean(half.map((it) => it[of]));
  const covariance = mean(half.map((it) => (it.units - x) * (it[of] - y)));
  return covariance / mean(half.map((it) => (it.units - x) ** 2));
}

function complaints(one: Case, samples: readonly Sample[]): string[] {
  const middle = samples[Math.floor(samples.length / 2)] as Sample;
  const last = samples.at(-1) as Sample;
  const found: string[] = [];
  for (const of of ['resident', 'heap'] as const) {
    const bytes = slope(samples, of);
    if (bytes > one.allowed && bytes * (last.units - middle.units) > NOISE)
      found.push(`${one.name}: ${bytes.toFixed(0)} bytes of ${of} memory a unit, ${one.allowed} are allowed`);
  }
  for (const of of ['handles', 'threads'] as const) {
    if (last[of] > middle[of] + 8) found.push(`${one.name}: ${of} went from ${middle[of]} to ${last[of]}`);
  }
  return found;
}

function line({ units, resident, heap, handles, threads }: Sample): string {
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(2);
  return [units, mebibytes(resident), mebibytes(heap), handles, threads]
    .map((it) => String(it).padStart(10))
    .join('');
}

async function soak(one: Case): Promise<string[]> {
  console.log(`\n${one.name}, ${one.count} times`);
  console.log(['units', 'MiB', 'heap MiB', 'handles', 'threads'].map((it) => it.padStart(10)).join(''));
  const samples: Sample[] = [];
  let done = 0;
  for (let step = 0; step <= SAMPLES; step += 1) {
    const until = Math.round((one.count * step) / SAMPLES);
    await repeat(one, done, until);
    done = until;
    const taken = await sample(done);
    samples.push(taken);
    console.log(line(taken));
  }
  const bytes = (of: 'resident' | 'heap') => slope(samples, of).toFixed(1);
  console.log(`${bytes('resident')} bytes a unit (heap ${bytes('heap')}), ${one.allowed} are allowed`);
  return complaints(one, samples);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { requests: { type: 'string', default: '200000' } } });
  const requests = Number(values.requests);
  if (!Number.isInteger(requests) || requests < 100) throw new Error('--requests: expected at least 100');
  const found: string[] = [];
  for (const one of cases(requests)) found.push(...(await soak(one)));
  for (const complaint of found) console.log(`not given back: ${complaint}`);
  if (found.length > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
