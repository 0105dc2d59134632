// The last JavaScript reference to something is dropped while a request runs: the request is answered all
// the same, and what nobody can reach any more is freed.

import test from 'ava';
import { repeats, runForAnswer } from '../support/child.js';

const PRELUDE = `
  import { ExecutionContext, IsolatePool, Runtime, SharedIsolate, Worker } from 'isolane';
  const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const collect = async () => { for (let n = 0; n < 4; n += 1) { globalThis.gc(); await later(4) } };
  const slow = 'export default { async fetch() { await new Promise((r) => setTimeout(r, 40)); return new Response("fine") } }';
  const stream = 'export default { fetch() { let k = 0; return new Response(new ReadableStream({ async pull(c) { await new Promise((r) => setTimeout(r, 3)); if (k++ === 15) c.close(); else c.enqueue(new Uint8Array(1)) } })) } }';
`;

const ANSWERS: Record<string, string> = {
  'a pool': `(async () => { const pool = new IsolatePool({ threads: 1 }); await pool.deploy('a', slow); return { call: pool.fetch('a', 'http://x') } })()`,
  'a pool whose response streams': `(async () => { const pool = new IsolatePool({ threads: 1 }); await pool.deploy('a', stream); return { call: Promise.resolve(await pool.fetch('a', 'http://x')) } })()`,
  'a worker': `(async () => ({ call: new Worker(slow).fetch('http://x') }))()`,
  'a worker whose response streams': `(async () => ({ call: Promise.resolve(await new Worker(stream).fetch('http://x')) }))()`,
  'a shared isolate': `(async () => { const context = await new SharedIsolate().createContext(slow); return { call: context.fetch('http://x') } })()`,
  'a shared isolate whose response streams': `(async () => { const context = await new SharedIsolate().createContext(stream); return { call: Promise.resolve(await context.fetch('http://x')) } })()`,
};

for (const [what, open] of Object.entries(ANSWERS)) {
  test.serial(`${what} that nobody holds answers what it has begun`, async (t) => {
    const script = `${PRELUDE}
      const lengths = new Set();
      for (let n = 0; n < ${repeats(3)}; n += 1) {
        const { call } = await ${open};
        await collect();
        const response = await call;
        await collect();
        lengths.add((await response.bytes()).length);
      }
      console.log(JSON.stringify([...lengths]));`;
    t.deepEqual(await runForAnswer(t, script, { nodeArguments: ['--expose-gc'] }), [
      what.endsWith('streams') ? 15 : 4,
    ]);
  });
}

test.serial('a runtime that nobody holds answers what it has begun', async (t) => {
  const script = `${PRELUDE}
    const outcomes = new Set();
    for (let n = 0; n < ${repeats(3)}; n += 1) {
      const call = (() => new Runtime().evaluate('new Promise((r) => setTimeout(() => r(5), 40))'))();
      await collect();
      outcomes.add(await call);
    }
    console.log(JSON.stringify([...outcomes]));`;
  t.deepEqual(await runForAnswer(t, script, { nodeArguments: ['--expose-gc'] }), [5]);
});

test.serial('what nobody holds gives its threads back', async (t) => {
  const script = `${PRELUDE}
    import { readdirSync } from 'node:fs';
    const threads = () => process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0;
    const make = async () => {
      const pool = new IsolatePool({ threads: 2 }), worker = new Worker(slow), runtime = new Runtime(), isolate = new SharedIsolate();
      await pool.deploy('a', slow);
      const context = await isolate.createContext(slow);
      await Promise.all([pool.fetch('a', 'http://x'), worker.fetch('http://x'), runtime.evaluate('1'), context.fetch('http://x')]);
    };
    await make();
    await collect();
    const before = threads();
    for (let n = 0; n < 5; n += 1) await make();
    let after = Infinity;
    for (let n = 0; n < 200 && after > before; n += 1) { await collect(); after = threads() }
    console.log(after <= before);`;
  t.true(await runForAnswer(t, script, { nodeArguments: ['--expose-gc'] }));
});
