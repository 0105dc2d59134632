// Shows what isolane does, in seconds: one worker in every mode with what each costs, a worker that
// exceeds each limit, and a response that is streamed. Run by `npm run demo`, which builds first.

import { cpus } from 'node:os';
import {
  executePooled,
  getPoolStats,
  type Limits,
  Runtime,
  SharedIsolate,
  Worker,
  WorkerError,
} from 'isolane';
import { microseconds, quantile, table } from '../benchmark/report.js';

const WORKER = `
export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    return Response.json({ hello: searchParams.get('name') ?? 'world', from: pathname });
  },
};`;
const URL_OF_REQUEST = 'http://worker.test/demo?name=you';

interface Mode {
  readonly name: string;
  readonly gets: string;
  readonly runs: number;
  readonly run: () => Promise<unknown>;
  readonly close?: () => Promise<void>;
}

function modes(): Mode[] {
  const worker = new Worker(WORKER);
  const isolate = new SharedIsolate();
  const runtime = new Runtime();
  return [
    {
      name: 'executePooled',
      gets: 'a warm isolate',
      runs: 20_000,
      run: () => executePooled('demo', WORKER, URL_OF_REQUEST),
    },
    {
      name: `executePooled, context: 'fresh'`,
      gets: 'a new context on it',
      runs: 500,
      run: () => executePooled('demo-fresh', { script: WORKER, context: 'fresh' }, URL_OF_REQUEST),
    },
    {
      name: 'SharedIsolate, ExecutionContext',
      gets: 'a new context',
      runs: 300,
      run: async () => {
        await using context = await isolate.createContext(WORKER);
        await context.fetch(URL_OF_REQUEST);
      },
      close: () => isolate.close(),
    },
    {
      name: 'Worker',
      gets: 'a new isolate',
      runs: 150,
      run: () => worker.fetch(URL_OF_REQUEST),
      close: () => worker.close(),
    },
    {
      name: 'Runtime',
      gets: 'a script evaluated',
      runs: 2_000,
      run: () => runtime.evaluate('[1, 2, 3].map((n) => n * 2)'),
      close: () => runtime.close(),
    },
  ];
}

async function showModes(): Promise<void> {
  console.log('\nOne worker in every mode: from the call in Node to its response.\n');
  const rows = [['mode', 'a request gets', 'first', 'median', 'p99', 'requests']];
  for (const mode of modes()) {
    const times: number[] = [];
    for (let n = 0; n < mode.runs; n += 1) {
      const began = performance.now();
      await mode.run();
      times.push((performance.now() - began) * 1000);
    }
    await mode.close?.();
    const [first = 0, ...others] = times;
    rows.push([
      mode.name,
      mode.gets,
      microseconds(first),
      microseconds(quantile(others, 0.5)),
      microseconds(quantile(others, 0.99)),
      String(mode.runs),
    ]);
  }
  console.log(table(rows));
}

interface Excess {
  readonly limit: string;
  readonly does: string;
  readonly script: string;
  readonly limits: Limits;
}

const EXCESSES: Excess[] = [
  {
    limit: 'cpuMs: 20',
    does: 'while (true) {}',
    script: 'export default { fetch() { while (true) {} } }',
    limits: { cpuMs: 20 },
  },
  {
    limit: 'wallMs: 50',
    does: 'waits for a minute',
    script: 'export default { async fetch() { await new Promise((done) => setTimeout(done, 60_000)) } }',
    limits: { wallMs: 50 },
  },
  {
    limit: 'heapMb: 24',
    does: 'keeps every object',
    script: 'export default { fetch() { const kept = []; while (true) kept.push({ n: kept.length }) } }',
    limits: { heapMb: 24, cpuMs: 0 },
  },
  {
    limit: 'bufferMb: 8',
    does: 'keeps every buffer',
    script: 'export default { fetch() { const kept = []; while (true) kept.push(new Uint8Array(1 << 20)) } }',
    limits: { bufferMb: 8, cpuMs: 0 },
  },
  {
    limit: 'subrequests: 2',
    does: 'fetches 3 times',
    script: `export default { async fetch() { for (let n = 0; n < 3; n++) await fetch('http://service.test/'); } }`,
    limits: { subrequests: 2 },
  },
  {
    limit: 'responseMb: 1',
    does: 'responds with 2 MiB',
    script: 'export default { fetch: () => new Response(new Uint8Array(2 << 20)) }',
    limits: { responseMb: 1, cpuMs: 0 },
  },
];

async function showLimits(): Promise<void> {
  console.log('\nA worker that exceeds each limit; after each, the worker above is asked again.\n');
  const rows = [['limit', 'the worker', 'ends with', 'after', 'and then']];
  for (const { limit, does, script, limits } of EXCESSES) {
    const began = performance.now();
    const outbound = () => new Response('a service of the host');
    const outcome = await executePooled(`excess ${limit}`, { script, limits, outbound }, URL_OF_REQUEST).then(
      (response) => `status ${response.status}`,
      (error: unknown) => describe(error),
    );
    const after = `${(performance.now() - began).toFixed(0)} ms`;
    const next = await executePooled('demo', WORKER, URL_OF_REQUEST);
    rows.push([limit, does, outcome, after, `status ${next.status}`]);
  }
  console.log(table(rows));
}

function describe(error: unknown): string {
  if (!(error instanceof WorkerError)) return String(error);
  return error.guest === undefined
    ? error.code
    : `${error.code} (${error.guest.name}: ${error.guest.message})`;
}

const COUNTDOWN = `
export default {
  fetch() {
    let left = 5;
    const body = new ReadableStream({
      async pull(controller) {
        await new Promise((done) => setTimeout(done, 100));
        if (left === 0) controller.close();
        else controller.enqueue(new TextEncoder().encode(left-- + '… '));
      },
    });
    return new Response(body);
  },
};`;

async function showStream(): Promise<void> {
  console.log('\nA streamed response, chunk by chunk, as the worker makes it:\n');
  const began = performance.now();
  const response = await executePooled('countdown', COUNTDOWN, URL_OF_REQUEST);
  for await (const chunk of response.body ?? []) {
    console.log(
      `  ${(performance.now() - began).toFixed(0).padStart(4)} ms  ${Buffer.from(chunk).toString()}`,
    );
  }
}

function showPool(): void {
  const { total, capacity, hits, misses, evictions, condemned } = getPoolStats();
  console.log(
    `\nThe default pool: ${total} isolates of ${capacity}, ${hits} hits, ${misses} misses, ` +
      `${evictions} evictions, ${condemned} condemned by what ran in them.\n`,
  );
}

async function demo(): Promise<void> {
  console.log(`\nIsolane in Node ${process.version}, on ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`);
  await showModes();
  await showLimits();
  await showStream();
  showPool();
}

demo().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
