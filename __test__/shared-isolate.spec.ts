// SharedIsolate and ExecutionContext: contexts that come and go on one isolate.

import test from 'ava';
import { ExecutionContext, SharedIsolate, WorkerError } from '../index.js';
import { HELLO, SLEEP, URL_A } from './support/workers.js';

test('contexts on one isolate have their own globals', async (t) => {
  await using isolate = new SharedIsolate();
  const script = `globalThis.count = (globalThis.count ?? 0) + 1; export default { fetch: () => new Response(String(globalThis.count++)) }`;
  await using one = await isolate.createContext(script);
  await using two = await isolate.createContext(script);
  t.is(await (await one.fetch(URL_A)).text(), '1');
  t.is(await (await one.fetch(URL_A)).text(), '2');
  t.is(await (await two.fetch(URL_A)).text(), '1');
  t.true(one instanceof ExecutionContext);
});

test('a context that is closed leaves the others alone', async (t) => {
  await using isolate = new SharedIsolate();
  const one = await isolate.createContext(HELLO);
  const two = await isolate.createContext(HELLO);
  await one.close();
  await one.close();
  await t.throwsAsync(one.fetch(URL_A), { instanceOf: WorkerError, code: 'ERR_CLOSED' });
  t.is(await (await two.fetch('http://x/on')).text(), 'hello /on');
});

test('makes and drops many contexts', async (t) => {
  await using isolate = new SharedIsolate();
  for (let n = 0; n < 100; n += 1) {
    await using context = await isolate.createContext(HELLO);
    t.is(await (await context.fetch(`http://x/${n}`)).text(), `hello /${n}`);
  }
});

test('runs the scheduled handler', async (t) => {
  await using isolate = new SharedIsolate();
  await using context = await isolate.createContext('export default { scheduled() {} }');
  t.true((await context.scheduled()).wallMs >= 0);
});

test('refuses workers that do not load', async (t) => {
  await using isolate = new SharedIsolate();
  await t.throwsAsync(isolate.createContext('export default {'), { code: 'ERR_WORKER_SYNTAX' });
  await t.throwsAsync(isolate.createContext('null.x'), { code: 'ERR_WORKER_EXCEPTION' });
  await using context = await isolate.createContext(HELLO);
  t.is((await context.fetch(URL_A)).status, 200);
});

test('closing the isolate ends its contexts and what is in flight', async (t) => {
  const isolate = new SharedIsolate();
  const context = await isolate.createContext(SLEEP);
  const inFlight = t.throwsAsync(context.fetch(URL_A), { code: 'ERR_CLOSED' });
  await isolate.close();
  await inFlight;
  await t.throwsAsync(context.fetch(URL_A), { code: 'ERR_CLOSED' });
  await t.throwsAsync(isolate.createContext(HELLO), { code: 'ERR_CLOSED' });
  await context.close();
});

test('applies the limits of the isolate and of the worker', async (t) => {
  await using isolate = new SharedIsolate({ limits: { wallMs: 40 } });
  await using context = await isolate.createContext(SLEEP);
  await t.throwsAsync(context.fetch(URL_A), { code: 'ERR_WALL_LIMIT' });
  await using spinning = await isolate.createContext({
    script: 'export default { fetch() { while (true) {} } }',
    limits: { cpuMs: 20, wallMs: 5000 },
  });
  await t.throwsAsync(spinning.fetch(URL_A), { code: 'ERR_CPU_LIMIT' });
});

test('a context is made by createContext only', (t) => {
  const Constructor = ExecutionContext as unknown as new () => ExecutionContext;
  t.throws(() => new Constructor(), { instanceOf: WorkerError, code: 'ERR_INVALID_ARG' });
});
