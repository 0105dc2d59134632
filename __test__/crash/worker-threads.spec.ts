// The addon in several of Node's threads at a time: threads that end in the middle, the addon loaded, unloaded
// and loaded again. Every thread has its own connection, and all share the process's default pool.

import test from 'ava';
import { repeats, runForAnswer } from '../support/child.js';

const PRELUDE = `
  import { Worker as Thread } from 'node:worker_threads';
  import { executePooled, getPoolStats, IsolatePool, Worker } from 'isolane';
  const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const isolane = import.meta.resolve('isolane');
  const slow = 'export default { async fetch() { await new Promise((r) => setTimeout(r, 1)); return new Response("x") } }';
  /** Runs a script as a module in a thread; \`isolane\` and \`parentPort\` are there. */
  const start = (script) => new Thread(
    "const { parentPort } = require('node:worker_threads'); import(" + JSON.stringify(isolane) + ").then(async (isolane) => { " + script + " })",
    { eval: true, execArgv: [] },
  );
  const message = (thread) => new Promise((resolve, reject) => { thread.once('message', resolve); thread.once('error', reject) });
  const ended = (thread) => new Promise((resolve) => thread.once('exit', resolve));
  const busy = \`
    const { executePooled, IsolatePool, Runtime, SharedIsolate, Worker } = isolane;
    const slow = 'export default { async fetch(_, env) { console.log("x"); await new Promise((r) => setTimeout(r, 1)); return new Response("x") } }';
    const spin = { script: 'export default { fetch() { for (;;); } }', limits: { cpuMs: 0 } };
    const calls = { script: 'export default { async fetch(_, env) { for (;;) await env.f(new Uint8Array(1000)) } }', env: { f: async (x) => x }, limits: { cpuMs: 0 } };
    const out = { script: 'export default { fetch: () => fetch("http://y/") }', outbound: () => new Promise(() => {}) };
    const stream = 'export default { fetch: () => new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1000)) } })) }';
    const pool = new IsolatePool({ threads: 1, onLog() {} }), isolate = new SharedIsolate(), runtime = new Runtime({ limits: { cpuMs: 0 } });
    const again = async (once) => { for (;;) await once().catch(() => new Promise((r) => setTimeout(r, 1))) };
    for (const [id, it] of Object.entries({ slow, spin, calls, out, stream })) pool.deploy(id, it).then(() => again(() => pool.fetch(id, 'http://x').then(async (r) => { for await (const c of r.body); })));
    again(() => executePooled('shared', slow, 'http://x', { onLog() {} }));
    again(() => new Worker(slow).fetch('http://x'));
    again(() => runtime.evaluate('for (;;);'));
    again(() => isolate.createContext(slow).then((context) => context.fetch('http://x')));
    again(() => pool.fetch('slow', { url: 'http://x', method: 'POST', body: new ReadableStream({ pull: () => new Promise(() => {}) }) }));
    await pool.deploy('ready', slow);
    parentPort.postMessage('ready');
  \`;
`;

test.serial('the main thread and four others answer requests at the same time', async (t) => {
  const script = `${PRELUDE}
    const work = "const texts = await Promise.all(Array.from({ length: 200 }, async (_, n) => await (await isolane.executePooled('w' + n % 5, " + JSON.stringify(slow) + ", 'http://x')).text())); parentPort.postMessage(texts.join(''));";
    const threads = Array.from({ length: 4 }, () => start(work));
    const own = Promise.all(Array.from({ length: 200 }, async (_, n) => await (await executePooled('w' + n % 5, slow, 'http://x')).text()));
    const texts = await Promise.all([...threads.map(message), own.then((all) => all.join(''))]);
    await Promise.all(threads.map((thread) => thread.terminate()));
    console.log(JSON.stringify([...new Set(texts.map((text) => text === 'x'.repeat(200)))]));`;
  t.deepEqual(await runForAnswer(t, script), [true]);
});

test.serial('threads that are terminated while their requests run', async (t) => {
  const script = `${PRELUDE}
    for (let n = 0; n < ${repeats(3)}; n += 1) {
      const threads = Array.from({ length: 4 }, () => start(busy));
      await Promise.all(threads.map(message));
      await Promise.all(threads.map(async (thread) => { await later(Math.random() * 60); await thread.terminate() }));
      if (await (await executePooled('main', slow, 'http://x')).text() !== 'x') throw new Error('the main thread');
    }
    console.log(true);`;
  t.true(await runForAnswer(t, script));
});

test.serial('threads that are terminated while they load the addon', async (t) => {
  const script = `${PRELUDE}
    for (let n = 0; n < ${repeats(3)}; n += 1) {
      const threads = Array.from({ length: 4 }, () => start(busy));
      await Promise.all(threads.map(async (thread) => { await later(Math.random() * 100); await thread.terminate() }));
    }
    console.log(await (await executePooled('main', slow, 'http://x')).text());`;
  const told = await runForAnswer(
    t,
    script
      .replace('console.log(await (', 'console.log(JSON.stringify(await (')
      .replace('.text());', '.text()));'),
  );
  t.is(told, 'x');
});

test.serial('a thread that exits by itself, with requests in flight', async (t) => {
  const script = `${PRELUDE}
    const codes = [];
    for (let n = 0; n < ${repeats(3)}; n += 1) {
      const thread = start(busy.replace("parentPort.postMessage('ready')", 'process.exit(3)'));
      codes.push(await ended(thread));
    }
    console.log(JSON.stringify([...new Set(codes)]));`;
  t.deepEqual(await runForAnswer(t, script), [3]);
});

test.serial('what ended threads had leaves no thread, isolate or request behind', async (t) => {
  const script = `${PRELUDE}
    import { readdirSync } from 'node:fs';
    const threads = () => process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0;
    const run = async () => {
      const four = Array.from({ length: 4 }, () => start(busy));
      await Promise.all(four.map(message));
      await Promise.all(four.map((thread) => thread.terminate()));
    };
    await run();
    await later(500);
    const before = threads();
    for (let n = 0; n < 3; n += 1) await run();
    let after = Infinity;
    for (let n = 0; n < 400 && after > before; n += 1) { await later(25); after = threads() }
    console.log(JSON.stringify([after <= before, getPoolStats().inFlight]));`;
  t.deepEqual(await runForAnswer(t, script), [true, 0]);
});

test.serial('the addon is loaded, unloaded with its thread, and loaded again', async (t) => {
  const script = `${PRELUDE.replace("import { executePooled, getPoolStats, IsolatePool, Worker } from 'isolane';", '')}
    const work = "const text = await (await isolane.executePooled('a', " + JSON.stringify(slow) + ", 'http://x')).text(); parentPort.postMessage(text)";
    const texts = [];
    for (let n = 0; n < ${repeats(5)}; n += 1) {
      const thread = start(work);
      texts.push(await message(thread));
      await thread.terminate();
    }
    const { executePooled } = await import('isolane');
    texts.push(await (await executePooled('a', slow, 'http://x')).text());
    console.log(JSON.stringify([...new Set(texts)]));`;
  t.deepEqual(await runForAnswer(t, script), ['x']);
});
