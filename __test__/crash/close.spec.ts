// close() in the middle of everything: each request ends once, with an answer or the right code, and no
// thread, request or process is left behind.

import test from 'ava';
import { repeats, runForAnswer } from '../support/child.js';

/** What the scripts below share: workers, and how a promise ended. */
const PRELUDE = `
  import { executePooled, ExecutionContext, IsolatePool, Runtime, SharedIsolate, Worker } from 'isolane';
  const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const ended = (promise) => promise.then((value) => value === undefined ? 'done' : 'answered', (error) => error.code ?? error.name);
  const sleep = 'export default { async fetch() { await new Promise((r) => setTimeout(r, 60000)); return new Response() }, async scheduled() { await new Promise((r) => setTimeout(r, 60000)) } }';
  const spin = { script: 'export default { fetch() { while (true) {} }, scheduled() { while (true) {} } }', limits: { cpuMs: 0 } };
  const slowLoad = 'await new Promise((r) => setTimeout(r, 60000)); export default { fetch: () => new Response() }';
  const spinLoad = { script: 'while (true) {} export default {}', limits: { cpuMs: 0 } };
  const streamOut = 'export default { fetch: () => new Response(new ReadableStream({ async pull(c) { await new Promise((r) => setTimeout(r, 1)); c.enqueue(new Uint8Array(100)) } })) }';
  const streamIn = 'export default { async fetch(request) { let n = 0; for await (const chunk of request.body) n += chunk.length; return new Response(String(n)) } }';
  const waits = 'export default { fetch(_, __, ctx) { ctx.waitUntil(new Promise((r) => setTimeout(r, 60000))); return new Response("early") } }';
  const silent = () => new ReadableStream({ pull: () => new Promise(() => {}) });
  const post = (body) => ({ url: 'http://x', method: 'POST', body });
  const read = async (response) => { for await (const chunk of response.body); };
`;

/** Runs the body once for each repetition in one child, and gives the distinct outcomes. */
function repeated(body: string, usually = 5): string {
  return `${PRELUDE}
    const outcomes = new Set();
    for (let n = 0; n < ${repeats(usually)}; n += 1) outcomes.add(JSON.stringify(await (async () => { ${body} })()));
    console.log(JSON.stringify([...outcomes].sort().map((outcome) => JSON.parse(outcome))));`;
}

const POOL_CASES: Record<string, { body: string; outcome: unknown }> = {
  'a deploy that waits': {
    body: `const call = pool.deploy('a', slowLoad); await later(2);`,
    outcome: 'ERR_POOL_CLOSED',
  },
  'a deploy that spins': {
    body: `const call = pool.deploy('a', spinLoad); await later(2);`,
    outcome: 'ERR_POOL_CLOSED',
  },
  'the first request, at once': {
    body: `await pool.deploy('a', sleep); const call = pool.fetch('a', 'http://x');`,
    outcome: 'ERR_POOL_CLOSED',
  },
  'a parked request': {
    body: `await pool.deploy('a', sleep); const call = pool.fetch('a', 'http://x'); await later(3);`,
    outcome: 'ERR_POOL_CLOSED',
  },
  'a spinning request': {
    body: `await pool.deploy('a', spin); const call = pool.fetch('a', 'http://x'); await later(3);`,
    outcome: 'ERR_POOL_CLOSED',
  },
  'a response that streams': {
    body: `await pool.deploy('a', streamOut); const call = pool.fetch('a', 'http://x').then(read); await later(10);`,
    outcome: 'ERR_POOL_CLOSED',
  },
  'a request body that streams': {
    body: `await pool.deploy('a', streamIn); const call = pool.fetch('a', post(silent())); await later(3);`,
    outcome: 'ERR_POOL_CLOSED',
  },
  'a host function that is pending': {
    body: `await pool.deploy('a', { script: 'export default { async fetch(_, env) { return new Response(await env.never()) } }', env: { never: () => new Promise(() => {}) } });
      const call = pool.fetch('a', 'http://x'); await later(3);`,
    outcome: 'ERR_POOL_CLOSED',
  },
  waitUntil: {
    body: `await pool.deploy('a', waits); const call = pool.fetch('a', 'http://x'); await call;`,
    outcome: 'answered',
  },
  'a scheduled event': {
    body: `await pool.deploy('a', sleep); const call = pool.scheduled('a'); await later(3);`,
    outcome: 'ERR_POOL_CLOSED',
  },
  'an outbound function that is pending': {
    body: `await pool.deploy('a', { script: 'export default { fetch: () => fetch("http://y/") }', outbound: () => new Promise(() => {}) });
      const call = pool.fetch('a', 'http://x'); await later(3);`,
    outcome: 'ERR_POOL_CLOSED',
  },
};

for (const [name, { body, outcome }] of Object.entries(POOL_CASES)) {
  test.serial(`IsolatePool.close() during: ${name}`, async (t) => {
    const script = repeated(
      `const pool = new IsolatePool({ graceMs: 0, threads: 2 }); ${body} const how = ended(call);
       await Promise.all([pool.close(), pool.close()]); return [await how, await ended(pool.fetch('a', 'http://x'))];`,
    );
    t.deepEqual(await runForAnswer(t, script), [[outcome, 'ERR_POOL_CLOSED']]);
  });
}

test.serial('IsolatePool.close() ends what waits in a full queue', async (t) => {
  const script = repeated(`
    const pool = new IsolatePool({ graceMs: 0, threads: 1, maxIsolates: 1, maxIsolatesPerWorker: 1, maxQueue: 20 });
    await pool.deploy('a', sleep); await pool.deploy('b', spin);
    const calls = Array.from({ length: 50 }, () => ended(pool.fetch('b', 'http://x')));
    calls.push(...Array.from({ length: 50 }, () => ended(pool.fetch('a', 'http://x'))));
    await pool.close();
    return [...new Set(await Promise.all(calls))].sort();`);
  t.deepEqual(await runForAnswer(t, script), [['ERR_POOL_CLOSED', 'ERR_POOL_FULL']]);
});

test.serial('IsolatePool.close() lets requests end within graceMs', async (t) => {
  const script = repeated(`
    const pool = new IsolatePool({ graceMs: 30_000 });
    await pool.deploy('a', 'export default { async fetch() { await new Promise((r) => setTimeout(r, 30)); return new Response("in time") } }');
    const calls = Array.from({ length: 20 }, async () => await (await pool.fetch('a', 'http://x')).text());
    await pool.close();
    return [...new Set(await Promise.all(calls))];`);
  t.deepEqual(await runForAnswer(t, script), [['in time']]);
});

const OTHER_MODES: Record<string, { make: string; runs: string; close: string }> = {
  Worker: { make: 'const it = new Worker(worker)', runs: `it.fetch('http://x')`, close: 'it.close()' },
  SharedIsolate: {
    make: 'const it = new SharedIsolate(); const context = await it.createContext(worker)',
    runs: `context.fetch('http://x')`,
    close: 'it.close()',
  },
  ExecutionContext: {
    make: 'const it = new SharedIsolate(); const context = await it.createContext(worker)',
    runs: `context.fetch('http://x')`,
    close: 'context.close()',
  },
};

for (const [mode, { make, runs, close }] of Object.entries(OTHER_MODES)) {
  test.serial(`${mode}: close() at any moment ends what runs, and twice is once`, async (t) => {
    const script = repeated(`
      const outcomes = [];
      for (const worker of [sleep, spin, streamOut, waits]) {
        if (worker === spin && ${JSON.stringify(close)} === 'context.close()') continue;
        ${make};
        const call = ended(${runs}.then(read));
        await later(Math.random() * 8);
        await Promise.all([${close}, ${close}]);
        outcomes.push(await call, await ended(${runs}));
      }
      return [...new Set(outcomes)];`);
    const outcomes = (await runForAnswer(t, script)) as string[][];
    for (const outcome of outcomes.flat()) t.true(['ERR_CLOSED', 'done'].includes(outcome), outcome);
  });
}

test.serial('SharedIsolate.close() while contexts are being made', async (t) => {
  const script = repeated(`
    const isolate = new SharedIsolate({ limits: { cpuMs: 0 } });
    const made = [sleep, slowLoad, spinLoad, sleep].map((worker) => ended(isolate.createContext(worker)));
    await later(Math.random() * 6);
    await isolate.close();
    return [...new Set(await Promise.all(made))].filter((outcome) => outcome !== 'answered');`);
  t.deepEqual(await runForAnswer(t, script), [['ERR_CLOSED']]);
});

test.serial('Runtime.close() while it evaluates', async (t) => {
  const script = repeated(`
    const runtime = new Runtime({ limits: { cpuMs: 0 } });
    const calls = ['new Promise(() => setTimeout(() => {}, 60000))', 'while (true) {}', '1'].map((source) => ended(runtime.evaluate(source)));
    calls.push(ended(runtime.heapStatistics()).then((outcome) => outcome === 'answered' ? 'ERR_CLOSED' : outcome));
    await later(Math.random() * 6);
    await Promise.all([runtime.close(), runtime.close()]);
    return [...new Set(await Promise.all(calls))];`);
  t.deepEqual(await runForAnswer(t, script), [['ERR_CLOSED']]);
});

test.serial('close() from a host function, a log handler, and a stream that it reads', async (t) => {
  const script = repeated(`
    const closes = [];
    const close = () => { closes.push(pool.close()); };
    const pool = new IsolatePool({ graceMs: 0, onLog: close });
    await pool.deploy('call', { script: 'export default { async fetch(_, env) { await env.close(); return new Response() } }', env: { close: () => { close(); return new Promise(() => {}) } } });
    await pool.deploy('log', 'export default { async fetch() { console.log("x"); await new Promise((r) => setTimeout(r, 60000)) } }');
    await pool.deploy('in', streamIn);
    const calls = [pool.fetch('log', 'http://x'), pool.fetch('call', 'http://x'), pool.fetch('in', post(new ReadableStream({ pull() { close(); return new Promise(() => {}) } })))].map(ended);
    const outcomes = await Promise.all(calls);
    await Promise.all(closes);
    return outcomes;`);
  t.deepEqual(await runForAnswer(t, script), [['ERR_POOL_CLOSED', 'ERR_POOL_CLOSED', 'ERR_POOL_CLOSED']]);
});

test.serial('what is disposed of by `await using` during a request ends it', async (t) => {
  const script = repeated(`
    const dispose = (it) => it[Symbol.asyncDispose]();
    const pool = new IsolatePool({ graceMs: 0 }), worker = new Worker(sleep), isolate = new SharedIsolate(), runtime = new Runtime();
    await pool.deploy('a', sleep);
    const context = await isolate.createContext(sleep);
    const calls = [pool.fetch('a', 'http://x'), worker.fetch('http://x'), context.fetch('http://x'), runtime.evaluate('new Promise(() => setTimeout(() => {}, 60000))')].map(ended);
    await later(5);
    for (const it of [pool, worker, context, isolate, runtime]) await Promise.all([dispose(it), dispose(it)]);
    return await Promise.all(calls);`);
  t.deepEqual(await runForAnswer(t, script), [['ERR_POOL_CLOSED', 'ERR_CLOSED', 'ERR_CLOSED', 'ERR_CLOSED']]);
});
