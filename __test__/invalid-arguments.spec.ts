// Wrong input of every kind: ERR_INVALID_ARG, with a message that names the argument.

import test, { type ExecutionContext as Test } from 'ava';
import {
  executePooled,
  IsolatePool,
  initPool,
  Runtime,
  SharedIsolate,
  Worker,
  WorkerError,
} from '../index.js';
import { HELLO, newId, URL_A } from './support/workers.js';

/** Whatever a caller without types may pass. */
type Anything = never;

async function rejects(t: Test, run: () => unknown, message: RegExp): Promise<void> {
  const error = await t.throwsAsync(async () => await run(), {
    instanceOf: WorkerError,
    code: 'ERR_INVALID_ARG',
  });
  t.regex(error?.message ?? '', message);
}

const run = (request: unknown) => executePooled(newId(), HELLO, request as Anything);
const deployed = (worker: unknown) => executePooled(newId(), worker as Anything, URL_A);
const withOptions = (options: unknown) => executePooled(newId(), HELLO, URL_A, options as Anything);

for (const id of ['', 5, null, undefined, {}]) {
  test(`id: ${JSON.stringify(id) ?? 'undefined'} is refused`, async (t) => {
    await rejects(
      t,
      () => executePooled(id as Anything, HELLO, URL_A),
      /^id: expected a non-empty string, got /,
    );
    await using pool = new IsolatePool();
    await rejects(t, () => pool.deploy(id as Anything, HELLO), /^id: /);
    await rejects(t, () => pool.fetch(id as Anything, URL_A), /^id: /);
    await rejects(t, () => pool.scheduled(id as Anything), /^id: /);
    await rejects(t, () => pool.evict(id as Anything), /^id: /);
  });
}

const REQUESTS: Array<[name: string, request: unknown, message: RegExp]> = [
  ['nothing', undefined, /^request: expected a URL, a Request, or its parts, got undefined/],
  ['a number', 5, /^request: .* got 5/],
  ['a relative URL', '/path', /^request: expected an absolute http or https URL, got "\/path"/],
  ['another scheme', 'file:///etc/passwd', /^request: expected an absolute http or https URL/],
  ['a URL of another scheme', new URL('data:,x'), /^request: /],
  ['credentials', 'http://me:secret@x/', /^request: .* without credentials, got "http:\/\/…@x"/],
  ['no url', { method: 'GET' }, /^request\.url: .* got undefined/],
  ['a bad url', { url: 'x' }, /^request\.url: /],
  [
    'an unknown key',
    { url: URL_A, methd: 'GET' },
    /^request: expected only the keys url, method, headers, body, got "methd"/,
  ],
  ['a method with a space', { url: URL_A, method: 'GE T' }, /^request\.method: /],
  ['a method that is no string', { url: URL_A, method: 5 }, /^request\.method: /],
  ['a forbidden method', { url: URL_A, method: 'connect' }, /^request\.method: /],
  ['a bad header name', { url: URL_A, headers: { 'a b': 'c' } }, /^request\.headers: /],
  ['a bad header value', { url: URL_A, headers: { a: 'b\nc' } }, /^request\.headers: /],
  ['headers that are none', { url: URL_A, headers: 5 }, /^request\.headers: /],
  ['a body for GET', { url: URL_A, body: 'x' }, /^request\.body: expected no body for the method GET/],
  [
    'a body of no known kind',
    { url: URL_A, method: 'POST', body: { a: 1 } },
    /^request\.body: expected a string, /,
  ],
  ['a number as body', { url: URL_A, method: 'POST', body: 5 }, /^request\.body: .* got 5/],
];
for (const [name, request, message] of REQUESTS) {
  test(`request: ${name} is refused`, async (t) => {
    await rejects(t, () => run(request), message);
  });
}

test('request: a stream that is locked, and a Request that was read, are refused', async (t) => {
  const stream = new ReadableStream();
  stream.getReader();
  await rejects(
    t,
    () => run({ url: URL_A, method: 'POST', body: stream }),
    /^request\.body: expected a stream that is not locked/,
  );
  const request = new Request(URL_A, { method: 'POST', body: 'x' });
  await request.text();
  await rejects(t, () => run(request), /^request: expected a Request whose body has not been read/);
});

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;
const script = HELLO;
const WORKERS: Array<[name: string, worker: unknown, message: RegExp]> = [
  ['nothing', undefined, /^worker: expected a script or a worker definition, got undefined/],
  ['a number', 5, /^worker: /],
  ['an array', [], /^worker: /],
  ['neither script nor modules', {}, /^worker: expected either script or modules, got "neither"/],
  [
    'script and modules',
    { script, modules: { 'a.js': '' } },
    /^worker: expected either script or modules, got "both"/,
  ],
  ['an unknown key', { script, contex: 'fresh' }, /^worker: expected only the keys .*, got "contex"/],
  ['a script that is no string', { script: 5 }, /^worker\.script: /],
  ['modules that are no object', { modules: [] }, /^worker\.modules: /],
  ['no modules', { modules: {} }, /^worker\.modules: expected at least one module/],
  [
    'a module of no known kind',
    { modules: { 'a.js': '', 'b.css': '' } },
    /^worker\.modules: .* got "b\.css"/,
  ],
  ['an entry that is no code', { modules: { 'a.json': '{}' } }, /^worker\.modules: expected a first module/],
  [
    'a module that is no source',
    { modules: { 'a.js': 5 } },
    /^worker\.modules\["a\.js"\]: expected a string or a Uint8Array/,
  ],
  ['wasm as text', { modules: { 'a.js': '', 'b.wasm': 'x' } }, /^worker\.modules\["b\.wasm"\]: /],
  [
    'a context of no known kind',
    { script, context: 'new' },
    /^worker\.context: expected 'reuse' or 'fresh', got "new"/,
  ],
  ['codegen that is no boolean', { script, codegen: 1 }, /^worker\.codegen: /],
  ['an outbound of no known kind', { script, outbound: 'private' }, /^worker\.outbound: /],
  ['an env that is no object', { script, env: [] }, /^worker\.env: /],
  ['a Date in env', { script, env: { at: new Date() } }, /^worker\.env\.at: expected a JSON value/],
  ['undefined in env', { script, env: { a: { b: undefined } } }, /^worker\.env\.a\.b: /],
  ['NaN in env', { script, env: { list: [0, Number.NaN] } }, /^worker\.env\.list\[1\]: /],
  ['a bigint in env', { script, env: { big: 1n } }, /^worker\.env\.big: /],
  ['a cycle in env', { script, env: { cyclic } }, /^worker\.env\.cyclic\.self: expected JSON without cycles/],
  [
    'functions and values mixed',
    { script, env: { api: { f() {}, n: 1 } } },
    /^worker\.env\.api\.n: expected a function, got 1/,
  ],
];
for (const [name, worker, message] of WORKERS) {
  test(`worker: ${name} is refused`, async (t) => {
    await rejects(t, () => deployed(worker), message);
    t.throws(() => new Worker(worker as Anything), { code: 'ERR_INVALID_ARG' });
  });
}

const LIMITS: Array<[limits: unknown, message: RegExp]> = [
  [5, /\.limits: expected an object, got 5/],
  [{ cpu: 5 }, /\.limits: expected only the keys cpuMs, .* got "cpu"/],
  [{ cpuMs: -1 }, /\.limits\.cpuMs: expected a non-negative finite number \(milliseconds\), got -1/],
  [{ wallMs: '5' }, /\.limits\.wallMs: .* got "5"/],
  [{ wallMs: Number.POSITIVE_INFINITY }, /\.limits\.wallMs: .* got Infinity/],
  [{ heapMb: 0 }, /\.limits\.heapMb: expected a finite number above 0 \(MiB\), got 0/],
  [{ bufferMb: Number.NaN }, /\.limits\.bufferMb: .* got NaN/],
  [{ subrequests: 1.5 }, /\.limits\.subrequests: expected a whole number of at least 0, got 1\.5/],
  [{ concurrentSubrequests: -1 }, /\.limits\.concurrentSubrequests: /],
  [{ responseMb: null }, /\.limits\.responseMb: .* got null/],
];
for (const [limits, message] of LIMITS) {
  test(`limits: ${JSON.stringify(limits)} ${message.source.slice(2, 22)} is refused everywhere`, async (t) => {
    await rejects(t, () => withOptions({ limits }), message);
    await rejects(t, () => deployed({ script, limits }), message);
    await rejects(t, () => new IsolatePool({ limits: limits as Anything }), message);
    await rejects(t, () => new Worker(script, { limits: limits as Anything }), message);
    await rejects(t, () => new SharedIsolate({ limits: limits as Anything }), message);
    await rejects(t, () => new Runtime({ limits: limits as Anything }), message);
  });
}

const RUN_OPTIONS: Array<[name: string, options: unknown, message: RegExp]> = [
  ['null', null, /^options: expected an object, got null/],
  ['an unknown key', { timeout: 5 }, /^options: expected only the keys signal, limits, onLog, got "timeout"/],
  ['a signal that is none', { signal: {} }, /^options\.signal: expected an AbortSignal/],
  ['a log handler that is no function', { onLog: 'x' }, /^options\.onLog: expected a function/],
];
for (const [name, options, message] of RUN_OPTIONS) {
  test(`run options: ${name} is refused`, async (t) => {
    await rejects(t, () => withOptions(options), message);
  });
}

const POOL_OPTIONS: Array<[options: unknown, message: RegExp]> = [
  [5, /^options: /],
  [{ isolates: 5 }, /^options: expected only the keys /],
  [{ maxIsolates: 0 }, /^options\.maxIsolates: expected a whole number of at least 1, got 0/],
  [{ maxIsolatesPerWorker: 1.5 }, /^options\.maxIsolatesPerWorker: /],
  [{ maxMemoryMb: -1 }, /^options\.maxMemoryMb: /],
  [{ threads: 0 }, /^options\.threads: /],
  [{ maxQueue: -1 }, /^options\.maxQueue: /],
  [{ graceMs: '1' }, /^options\.graceMs: /],
  [{ onLog: 1 }, /^options\.onLog: /],
  [{ processMemoryMb: 0 }, /^options\.processMemoryMb: /],
  [{ isolation: 'thread' }, /^options\.isolation: /],
];
for (const [options, message] of POOL_OPTIONS) {
  test(`pool options: ${JSON.stringify(options)} is refused`, async (t) => {
    await rejects(t, () => new IsolatePool(options as Anything), message);
    await rejects(t, () => initPool(options as Anything), message);
  });
}

test('scheduled events: what is not one is refused', async (t) => {
  await using worker = new Worker('export default { scheduled() {} }');
  await rejects(t, () => worker.scheduled(5 as Anything), /^event: /);
  await rejects(
    t,
    () => worker.scheduled({ time: 5 } as Anything),
    /^event: expected only the keys cron, scheduledTime/,
  );
  await rejects(t, () => worker.scheduled({ cron: 5 } as Anything), /^event\.cron: /);
  await rejects(
    t,
    () => worker.scheduled({ scheduledTime: new Date(Number.NaN) }),
    /^event\.scheduledTime: /,
  );
});

test('runtimes: what is no source or option is refused', async (t) => {
  await rejects(
    t,
    () => new Runtime({ eval: true } as Anything),
    /^options: expected only the keys limits, onLog, codegen/,
  );
  await rejects(t, () => new Runtime({ codegen: 'yes' } as Anything), /^options\.codegen: /);
  await using runtime = new Runtime();
  await rejects(t, () => runtime.evaluate(5 as Anything), /^source: expected a string, got 5/);
  await rejects(t, () => runtime.evaluate('1', { filename: 5 } as Anything), /^options\.filename: /);
  await rejects(t, () => runtime.evaluate('1', { file: 'x' } as Anything), /^options: .* got "file"/);
});

test('a call that is refused takes nothing: the stream can still be read', async (t) => {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('whole'));
      controller.close();
    },
  });
  await rejects(
    t,
    () => executePooled(newId(), HELLO, { url: URL_A, method: 'POST', body }, { limits: { cpuMs: -1 } }),
    /cpuMs/,
  );
  t.is(await new Response(body).text(), 'whole');
});
