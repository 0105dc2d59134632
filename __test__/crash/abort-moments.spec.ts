// An AbortSignal that fires at every stage of a request: one settlement, with the reason, and the guest is
// told. Others on the same isolate go on.

import test from 'ava';
import { repeats, runForAnswer } from '../support/child.js';

const PRELUDE = `
  import { IsolatePool, Runtime, SharedIsolate, Worker } from 'isolane';
  const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const reason = new Error('mine');
  const ended = (promise) => promise.then(() => 'answered', (error) => error === reason ? 'reason' : error.code ?? error.name);
  const repeats = ${repeats(10)};
  const told = [];
  const tell = (what) => { told.push(what) };
  /** Waits until the guest has said something. */
  const heard = async () => { while (told.length === 0) await later(1) };
  /** Does what its path says, and tells of the abort. */
  const script = \`export default { async fetch(request, env) {
    const aborted = new Promise((resolve) => request.signal.addEventListener('abort', () => resolve(request.signal.reason.name)));
    aborted.then(env.tell);
    switch (new URL(request.url).pathname) {
      case '/cpu': console.log('begun'); while (true) {}
      case '/wait': await env.tell('begun'); await new Promise((r) => setTimeout(r, 60000)); break;
      case '/stream': return new Response(new ReadableStream({ async pull(c) { await new Promise((r) => setTimeout(r, 1)); c.enqueue(new Uint8Array(10)) } }));
    }
    return new Response('fine');
  } }\`;
  const worker = { script, env: { tell }, limits: { cpuMs: 0 } };
  const open = {
    async pool() { const pool = new IsolatePool({ threads: 2 }); await pool.deploy('a', worker); return [(...args) => pool.fetch('a', ...args), () => pool.close()] },
    async worker() { const it = new Worker(worker); return [(...args) => it.fetch(...args), () => it.close()] },
    async context() { const isolate = new SharedIsolate(); const it = await isolate.createContext(worker); return [(...args) => it.fetch(...args), () => isolate.close()] },
  };
`;

const MODES = ['pool', 'worker', 'context'] as const;

interface Moment {
  /** With `controller`, `signal`, `run(path, options)` and `others` (the outcome of a request beside). */
  readonly body: string;
  readonly outcome: unknown;
}

const MOMENTS: Record<string, Moment> = {
  'before the call': {
    body: `controller.abort(reason); return await ended(run('/wait', { signal }));`,
    outcome: 'reason',
  },
  'in the same tick': {
    body: `const call = ended(run('/wait', { signal })); controller.abort(reason); return await call;`,
    outcome: 'reason',
  },
  'in the same tick, of a guest that spins': {
    body: `const call = ended(run('/cpu', { signal })); controller.abort(reason); return await call;`,
    outcome: 'reason',
  },
  'at a random moment of a guest that spins': {
    body: `const call = ended(run('/cpu', { signal })); await later(Math.random() * 8); controller.abort(reason); return await call;`,
    outcome: 'reason',
  },
  'during its CPU time': {
    body: `let begun; const spins = new Promise((r) => { begun = r });
      const call = ended(run('/cpu', { signal, onLog: begun })); await spins; controller.abort(reason); return await call;`,
    outcome: 'reason',
  },
  'while it waits': {
    body: `const call = ended(run('/wait', { signal })); await heard(); controller.abort(reason);
      const outcome = await call; while (told.length < 2) await later(1); return [outcome, ...told];`,
    outcome: ['reason', 'begun', 'AbortError'],
  },
  'after the head of its response': {
    body: `const response = await run('/stream', { signal }); const reader = response.body.getReader(); await reader.read();
      controller.abort(reason); await reader.read(); await reader.cancel(); return response.status;`,
    outcome: 200,
  },
  'after its end': {
    body: `const response = await run('/', { signal }); controller.abort(reason); return await response.text();`,
    outcome: 'fine',
  },
};

for (const mode of MODES) {
  for (const [moment, { body, outcome }] of Object.entries(MOMENTS)) {
    test.serial(`${mode}: a signal that fires ${moment}`, async (t) => {
      const script = `${PRELUDE}
        const outcomes = new Set();
        for (let n = 0; n < repeats; n += 1) {
          told.length = 0;
          const [fetch, close] = await open.${mode}();
          const run = (path, options) => fetch('http://x' + path, options);
          const controller = new AbortController(), { signal } = controller;
          const outcome = await (async () => { ${body} })();
          outcomes.add(JSON.stringify(outcome));
          if (await (await run('/')).text() !== 'fine') throw new Error('the next request failed');
          await close();
        }
        console.log(JSON.stringify([...outcomes].map((outcome) => JSON.parse(outcome))));`;
      t.deepEqual(await runForAnswer(t, script), [outcome]);
    });
  }
}

test.serial('aborts at random moments hit only their own requests', async (t) => {
  const script = `${PRELUDE}
    const guest = 'export default { async fetch(request) { const end = Date.now() + 2; while (Date.now() < end); await new Promise((r) => setTimeout(r, 3)); return new Response(new URL(request.url).pathname) } }';
    const pool = new IsolatePool({ threads: 2, maxIsolates: 3, limits: { cpuMs: 0 } });
    for (const id of ['a', 'b', 'c', 'd']) await pool.deploy(id, guest);
    let wrong = 0;
    for (let n = 0; n < repeats; n += 1) {
      await Promise.all(Array.from({ length: 100 }, async (_, k) => {
        const controller = new AbortController();
        const call = pool.fetch('abcd'[k % 4], 'http://x/' + k, k % 3 === 0 ? { signal: controller.signal } : {});
        if (k % 3 === 0) later(Math.random() * 30).then(() => controller.abort(reason));
        const outcome = await call.then((response) => response.text(), (error) => error === reason ? 'reason' : error.code);
        if (outcome !== '/' + k && !(k % 3 === 0 && outcome === 'reason')) wrong += 1;
      }));
    }
    console.log(wrong);
    await pool.close();`;
  t.is(await runForAnswer(t, script), 0);
});

test.serial('Runtime: a signal that fires before an evaluation has begun', async (t) => {
  const script = `${PRELUDE}
    const runtime = new Runtime({ limits: { cpuMs: 0 } });
    const outcomes = new Set();
    for (let n = 0; n < repeats; n += 1) {
      const controller = new AbortController();
      const call = ended(runtime.evaluate('while (true) {}', { signal: controller.signal }));
      if (n % 2) await later(Math.random() * 6);
      controller.abort(reason);
      outcomes.add(await call);
      outcomes.add(await runtime.evaluate('1'));
    }
    await runtime.close();
    console.log(JSON.stringify([...outcomes]));`;
  t.deepEqual(await runForAnswer(t, script), ['reason', 1]);
});
