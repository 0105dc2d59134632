// The types of the public surface, from CommonJS: compiled, never run. Each `@ts-expect-error` is
// something that a caller must not be able to write.

import {
  ExecutionContext,
  executePooled,
  getPoolStats,
  IsolatePool,
  initPool,
  type Json,
  Runtime,
  SharedIsolate,
  Worker,
  type WorkerDefinition,
  WorkerError,
  type WorkerErrorCode,
  type WorkerResponse,
} from 'isolane';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<_T extends true>(): void {}

export async function calls(): Promise<void> {
  const response = await executePooled('a', 'script', 'http://x/');
  is<Equal<typeof response, WorkerResponse>>();
  is<Equal<typeof response.body, ReadableStream<Uint8Array> | null>>();
  const start: 'warm' | 'context' | 'isolate' = response.usage.start;
  const value: unknown = await response.json();
  const typed: { a: number } = await response.json<{ a: number }>();
  const standard: Response = response.toResponse();
  await executePooled('a', { script: '' }, new URL('http://x/'), { signal: new AbortController().signal });
  await executePooled('a', { modules: { 'a.js': '', 'b.wasm': new Uint8Array() } }, new Request('http://x/'));
  await executePooled('a', '', {
    url: 'http://x/',
    method: 'POST',
    headers: { a: 'b' },
    body: new FormData(),
  });
  await executePooled('a', '', {
    url: 'http://x/',
    headers: [['a', 'b']],
    body: new ReadableStream<Uint8Array>(),
  });
  initPool({
    maxIsolates: 5,
    limits: { cpuMs: 5 },
    onLog: ({ level, message, workerId }) => void [level, message, workerId],
  });
  const queued: number = getPoolStats().queued;
  void [start, value, typed, standard, queued];

  await new Worker('', { limits: { cpuMs: 5 }, maxConcurrency: 4, maxQueue: 10 }).close();

  // @ts-expect-error a request is needed
  await executePooled('a', '');
  // @ts-expect-error an id is a string
  await executePooled(5, '', 'http://x/');
  // @ts-expect-error no such option
  await executePooled('a', '', 'http://x/', { timeout: 5 });
  // @ts-expect-error no such limit
  initPool({ limits: { cpu: 5 } });
  // @ts-expect-error what was answered cannot be changed
  response.status = 5;
}

export async function classes(): Promise<void> {
  await using pool = new IsolatePool({ isolation: 'in-process', processMemoryMb: 512 });
  await pool.deploy('a', '');
  const evicted: boolean = await pool.evict('a');
  const usage = await pool.scheduled('a', { cron: '* * * * *', scheduledTime: new Date() });
  const cpuMs: number = usage.cpuMs;
  await using worker = new Worker({ script: '' }, { limits: {} });
  await using isolate = new SharedIsolate();
  const context: ExecutionContext = await isolate.createContext('');
  await using runtime = new Runtime({ codegen: true });
  const sum: number = await runtime.evaluate<number>('1 + 1', { filename: 'a.js' });
  const heap: number = (await runtime.heapStatistics()).usedHeapBytes;
  void [evicted, cpuMs, worker, context, sum, heap];

  // @ts-expect-error contexts are made by createContext
  new ExecutionContext();
}

export const definitions: WorkerDefinition[] = [
  { script: '', env: { a: 1, b: ['x', null], c: { d: true } } },
  {
    script: '',
    env: {
      add: (a: number, b: number) => a + b,
      store: {
        async get(key: string) {
          return key;
        },
      },
    },
  },
  { script: '', outbound: (request) => new Response(request.url) },
  {
    script: '',
    outbound: async () => new Response(),
    context: 'fresh',
    codegen: true,
    limits: { heapMb: 5 },
  },
  // @ts-expect-error no such policy
  { script: '', outbound: 'private' },
  // @ts-expect-error a Date is no JSON
  { script: '', env: { at: new Date() } },
];

export function errors(error: unknown): WorkerErrorCode | undefined {
  if (!(error instanceof WorkerError)) return undefined;
  const stack: string | undefined = error.guest?.stack;
  const wallMs: number | undefined = error.usage?.wallMs;
  void [stack, wallMs];
  // @ts-expect-error codes are fixed
  if (error.code === 'ERR_NO_SUCH_CODE') return undefined;
  return error.code;
}

export const json: Json = { a: [1, 'b', null, { c: false }] };
