// Owns the benchmark's cases: what each one sets up, does once, and takes down.

import { build } from 'esbuild';
import { executePooled, IsolatePool, SharedIsolate, Worker, type WorkerDefinition } from 'isolane';

const WORKER = `export default { fetch: (request) => new Response('hello ' + new URL(request.url).pathname) }`;
const URL_OF_REQUEST = 'http://worker.test/path?x=1';

export interface Case {
  readonly name: string;
  /** How many of it run at the same time. */
  readonly callers: number;
  /** How long to measure. */
  readonly milliseconds: number;
  readonly setUp: () => Promise<Running>;
}

export interface Running {
  readonly once: (n: number) => Promise<unknown>;
  readonly tearDown: () => Promise<void>;
}

const nothing = async (): Promise<void> => {};

function isolate(callers: number): Case {
  return {
    name: 'Worker: a new isolate',
    callers,
    milliseconds: 2000,
    setUp: async () => {
      const worker = new Worker(WORKER);
      return { once: () => worker.fetch(URL_OF_REQUEST), tearDown: () => worker.close() };
    },
  };
}

function context(callers: number): Case {
  return {
    name: 'SharedIsolate: a new context',
    callers,
    milliseconds: 2000,
    setUp: async () => {
      const shared = new SharedIsolate();
      const once = async () => {
        const created = await shared.createContext(WORKER);
        await created.fetch(URL_OF_REQUEST);
        await created.close();
      };
      return { once, tearDown: () => shared.close() };
    },
  };
}

/** Requests to one worker of the shared pool. */
function pooled(what: string, id: string, worker: string | WorkerDefinition, callers: number): Case {
  return {
    name: `executePooled: ${what}`,
    callers,
    milliseconds: 2000,
    setUp: async () => ({ once: () => executePooled(id, worker, URL_OF_REQUEST), tearDown: nothing }),
  };
}

function warm(callers: number): Case {
  return pooled('a warm isolate', 'bench', WORKER, callers);
}

function warmAndRead(callers: number): Case {
  return {
    name: 'executePooled: the same, text() read',
    callers,
    milliseconds: 2000,
    setUp: async () => ({
      once: async () => await (await executePooled('bench', WORKER, URL_OF_REQUEST)).text(),
      tearDown: nothing,
    }),
  };
}

/** Some of its requests are always under way: long polls, or what waits for a slow answer from elsewhere. */
function warmBesideWaiting(callers: number): Case {
  const waiting = 100;
  const script = `export default {
    async fetch(request) {
      if (request.url.endsWith('/wait')) await new Promise(() => {});
      return new Response('hello');
    } }`;
  return {
    name: `IsolatePool: a warm isolate, beside ${waiting} requests that wait`,
    callers,
    milliseconds: 2000,
    setUp: async () => {
      const pool = new IsolatePool({ limits: { wallMs: 0 }, graceMs: 0 });
      await pool.deploy('w', script);
      for (let n = 0; n < waiting; n += 1) pool.fetch('w', 'http://worker.test/wait').catch(() => {});
      return { once: () => pool.fetch('w', URL_OF_REQUEST), tearDown: () => pool.close() };
    },
  };
}

function fresh(callers: number): Case {
  return pooled(`context 'fresh'`, 'bench-fresh', { script: WORKER, context: 'fresh' }, callers);
}

/** A warm request whose handler takes about ten microseconds. */
function computing(callers: number): Case {
  const script = `export default {
    fetch() {
      let sum = 0;
      for (let n = 0; n < 8000; n += 1) sum = (sum * 31 + n) | 0;
      return new Response(String(sum));
    } }`;
  return pooled('a handler that computes for about 10 µs', 'bench-computing', script, callers);
}

/** A warm request that lets others go first once. */
function yielding(callers: number): Case {
  const script = `export default {
    async fetch() {
      await new Promise((done) => setTimeout(done, 0));
      return new Response('hello');
    } }`;
  return pooled('a timer without delay in each', 'bench-yield', script, callers);
}

/** A warm request that awaits a function of the host's once. */
function hostCall(callers: number): Case {
  const script = `export default { fetch: async (request, env) => new Response(await env.get(request.url)) }`;
  const env = { get: (key: string) => key };
  return pooled(`a call of the host's in each`, 'bench-host', { script, env }, callers);
}

/** A router with its framework, as workers come from bundlers. */
async function hono(): Promise<string> {
  const contents = `
    import { Hono } from 'hono';
    const app = new Hono();
    app.get('/path', (c) => c.json({ x: c.req.query('x') }));
    app.get('/users/:id', (c) => c.text(c.req.param('id')));
    export default app;`;
  const stdin = { contents, resolveDir: process.cwd() };
  const { outputFiles } = await build({ stdin, bundle: true, minify: true, write: false, format: 'esm' });
  return outputFiles[0]?.text ?? '';
}

/** Every request is to another worker than the pool has an isolate of. */
function eviction(callers: number, what: string, scriptOf: () => Promise<string>): Case {
  const workers = 40;
  return {
    name: `IsolatePool: ${workers} ${what} on 8 isolates, each request evicts`,
    callers,
    milliseconds: 3000,
    setUp: async () => {
      const [pool, script] = [new IsolatePool({ maxIsolates: 8 }), await scriptOf()];
      for (let n = 0; n < workers; n += 1) await pool.deploy(`w${n}`, `${script}\n// ${n}`);
      return { once: (n) => pool.fetch(`w${n % workers}`, URL_OF_REQUEST), tearDown: () => pool.close() };
    },
  };
}

function manyWorkers(callers: number): Case {
  const workers = 16;
  return {
    name: `executePooled: ${workers} workers in turn`,
    callers,
    milliseconds: 2000,
    setUp: async () => ({
      once: (n) => executePooled(`bench-${n % workers}`, WORKER, URL_OF_REQUEST),
      tearDown: nothing,
    }),
  };
}

/** The same as a warm request in this process, by way of a child process. */
function byProcess(callers: number): Case {
  return {
    name: `IsolatePool: isolation 'process'`,
    callers,
    milliseconds: 2000,
    setUp: async () => {
      const pool = new IsolatePool({ isolation: 'process' });
      await pool.deploy('bench', WORKER);
      return { once: () => pool.fetch('bench', URL_OF_REQUEST), tearDown: () => pool.close() };
    },
  };
}

/** A child's start: from nothing to the first answer. */
function processStart(callers: number): Case {
  return {
    name: `IsolatePool: isolation 'process', from its start to an answer`,
    callers,
    milliseconds: 3000,
    setUp: async () => {
      const once = async () => {
        const pool = new IsolatePool({ isolation: 'process' });
        await pool.deploy('bench', WORKER);
        await pool.fetch('bench', URL_OF_REQUEST);
        await pool.close();
      };
      return { once, tearDown: nothing };
    },
  };
}

export const CASES: readonly Case[] = [
  isolate(1),
  isolate(8),
  context(1),
  fresh(1),
  fresh(8),
  ...[1, 8, 64, 512].map(warm),
  ...[1, 64].map(warmAndRead),
  ...[1, 8].map(warmBesideWaiting),
  ...[1, 2, 8].map(computing),
  ...[1, 64].map(yielding),
  ...[1, 64].map(hostCall),
  ...[1, 64].map(manyWorkers),
  ...[1, 8].map((callers) => eviction(callers, 'workers', async () => WORKER)),
  ...[1, 8].map((callers) => eviction(callers, 'bundles of Hono', hono)),
  ...[1, 64, 512].map(byProcess),
  processStart(1),
];
