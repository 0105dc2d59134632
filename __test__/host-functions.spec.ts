// Functions of the host in env: asynchronous in the guest, plain values across, errors without stacks.

import { AsyncLocalStorage } from 'node:async_hooks';
import test from 'ava';
import { executePooled, type HostFunction, type WorkerDefinition } from '../index.js';
import { newId, URL_A } from './support/workers.js';

async function call(body: string, env: NonNullable<WorkerDefinition['env']>): Promise<unknown> {
  const script = `export default { async fetch(request, env) { ${body} } }`;
  return await (await executePooled(newId(), { script, env }, URL_A)).json();
}

test('the guest awaits what the host returns', async (t) => {
  const add: HostFunction = (a: number, b: number) => a + b;
  t.is(
    await call('const p = env.add(1, 2); return Response.json([p instanceof Promise, await p])', {
      add,
    }).then(String),
    'true,3',
  );
});

test('async functions of the host work', async (t) => {
  const later = async (text: string) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return text.toUpperCase();
  };
  t.is(await call(`return Response.json(await env.later('quiet'))`, { later }), 'QUIET');
});

test("the host's functions are called when the call that led to them has returned", async (t) => {
  const id = newId();
  let inCall = false;
  const called: boolean[] = [];
  const script =
    'export default { async fetch(request, env) { await env.note(); await env.note(); return new Response() } }';
  const definition = { script, env: { note: () => void called.push(inCall) } };
  for (let n = 0; n < 500; n += 1) {
    inCall = true;
    const answer = executePooled(id, definition, URL_A);
    inCall = false;
    await answer;
  }
  t.is(called.length, 1000);
  t.false(called.includes(true));
});

test("the host's functions do not run in the asynchronous context of whoever happens to call", async (t) => {
  const id = newId();
  const storage = new AsyncLocalStorage<number>();
  const seen = new Set<number | undefined>();
  const note = () => void seen.add(storage.getStore());
  const script = 'export default { async fetch(request, env) { await env.note(); return new Response() } }';
  for (let n = 0; n < 500; n += 1) {
    await storage.run(n, () => executePooled(id, { script, env: { note } }, URL_A));
    t.is(storage.getStore(), undefined);
  }
  t.deepEqual([...seen], [undefined]);
});

test('functions come in groups', async (t) => {
  const store = new Map<string, unknown>();
  const env = {
    store: {
      get: (key: string) => store.get(key) ?? null,
      put: (key: string, value: unknown) => void store.set(key, value),
    },
    name: 'db',
  };
  t.deepEqual(
    await call(
      `await env.store.put('k', { deep: [1] }); return Response.json([await env.store.get('k'), await env.store.get('none'), env.name])`,
      env,
    ),
    [{ deep: [1] }, null, 'db'],
  );
  t.deepEqual(store.get('k'), { deep: [1] });
});

test('values of every clonable kind cross both ways', async (t) => {
  let received: unknown;
  const exchange = (value: unknown) => {
    received = value;
    return { map: new Map([[1, new Uint8Array([7, 8])]]), date: new Date(9), nothing: undefined, big: 10n };
  };
  const answer = await call(
    `const got = await env.exchange({ bytes: new Uint8Array([1, 2]), floats: new Float32Array([1.5]), set: new Set(['é']) });
     return Response.json([[...got.map.get(1)], got.date.getTime(), got.nothing === undefined, String(got.big)])`,
    { exchange },
  );
  t.deepEqual(received, {
    bytes: new Uint8Array([1, 2]),
    floats: new Float32Array([1.5]),
    set: new Set(['é']),
  });
  t.deepEqual(answer, [[7, 8], 9, true, '10']);
});

test('errors of the host arrive with name and message only', async (t) => {
  const fail = () => {
    throw Object.assign(new RangeError('out of it'), { secret: 'x' });
  };
  const answer = (await call(
    `try { await env.fail() } catch (e) { return Response.json([e instanceof Error, e.name, e.message, e.stack ?? '', Object.keys(e)]) }`,
    { fail },
  )) as [boolean, string, string, string, string[]];
  t.deepEqual(answer.slice(0, 3), [true, 'RangeError', 'out of it']);
  t.notRegex(answer[3], /host-functions\.spec/);
  t.deepEqual(answer[4], []);
});

test('results that cannot be cloned reject in the guest', async (t) => {
  const bad = () => () => {};
  t.is(
    await call(`return Response.json(await env.bad().then(() => 'no', () => 'rejected'))`, { bad }),
    'rejected',
  );
});

test('arguments that cannot be cloned reject in the guest', async (t) => {
  let calls = 0;
  const count = () => ++calls;
  t.is(
    await call(`return Response.json(await env.count(() => {}).then(() => 'no', () => 'rejected'))`, {
      count,
    }),
    'rejected',
  );
  t.is(calls, 0);
});

test('many calls at a time each get their own answer', async (t) => {
  const double = async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, n % 7));
    return n * 2;
  };
  const answer = await call(
    `return Response.json(await Promise.all(Array.from({ length: 200 }, (_, n) => env.double(n))))`,
    { double },
  );
  t.deepEqual(
    answer,
    Array.from({ length: 200 }, (_, n) => n * 2),
  );
});

test('a changed function redeploys the worker', async (t) => {
  const id = newId();
  const script = `export default { async fetch(_, env) { return new Response(await env.f()) } }`;
  t.is(await (await executePooled(id, { script, env: { f: () => 'one' } }, URL_A)).text(), 'one');
  t.is(await (await executePooled(id, { script, env: { f: () => 'two' } }, URL_A)).text(), 'two');
});

test('a call whose request has ended is of no consequence', async (t) => {
  let release = () => {};
  const called = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow = async () => {
    release();
    await new Promise((resolve) => setTimeout(resolve, 500));
    return 'late';
  };
  const script = `export default { async fetch(_, env) { return new Response(await env.slow()) } }`;
  // Long enough for this thread to be asked, however busy the machine is.
  const request = executePooled(newId(), { script, env: { slow }, limits: { wallMs: 300 } }, URL_A);
  await called;
  await t.throwsAsync(request, { code: 'ERR_WALL_LIMIT' });
  await new Promise((resolve) => setTimeout(resolve, 300));
});
