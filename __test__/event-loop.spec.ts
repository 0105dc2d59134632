// Node's event loop: free whatever guests do, kept alive by requests in flight, and by nothing else.

import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker as Thread } from 'node:worker_threads';
import test from 'ava';
import { executePooled } from '../index.js';
import { runScript } from './support/child.js';
import { HELLO, newId, SPIN, URL_A } from './support/workers.js';

test.serial('a guest that spins leaves the event loop free', async (t) => {
  await executePooled(newId(), HELLO, URL_A);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  delay.enable();
  const limits = { cpuMs: 400, wallMs: 10_000 };
  await Promise.all(
    [1, 2].map((n) =>
      t.throwsAsync(executePooled(newId(), `${SPIN}// ${n}`, URL_A, { limits }), { code: 'ERR_CPU_LIMIT' }),
    ),
  );
  delay.disable();
  clearInterval(timer);
  t.true(ticks >= 20, `${ticks} ticks of a timer of 5 ms in at least 400 ms`);
  t.true(delay.percentile(50) < 40e6, `median delay ${delay.percentile(50) / 1e6} ms`);
});

test.serial('who awaits one quick answer after the other leaves the event loop free', async (t) => {
  const id = newId();
  for (let n = 0; n < 1000; n += 1) await executePooled(id, HELLO, URL_A);
  for (let round = 0; round < 100; round += 1) {
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    let answers = 0;
    for (; !turned; answers += 1) await executePooled(id, HELLO, URL_A);
    t.true(answers <= 530, `${answers} answers in one turn of the loop`);
  }
});

test.serial('a guest that calls the host again and again leaves the event loop free', async (t) => {
  let calls = 0;
  const script = `export default { async fetch(request, env) { for (let n = 0; n < 5000; n += 1) await env.note(); return new Response() } }`;
  let running = true;
  let most = 0;
  const turn = (before: number) => {
    most = Math.max(most, calls - before);
    if (running) setImmediate(turn, calls);
  };
  turn(calls);
  const id = newId();
  const note = () => {
    calls += 1;
  };
  for (let n = 0; n < 4; n += 1) await executePooled(id, { script, env: { note } }, URL_A);
  running = false;
  t.is(calls, 20_000);
  t.true(most <= 530, `${most} calls in one turn of the loop`);
});

test.serial('a process with nothing in flight exits by itself', async (t) => {
  const script = `
    import { IsolatePool, Runtime, SharedIsolate, Worker } from 'isolane';
    const pool = new IsolatePool(), runtime = new Runtime(), isolate = new SharedIsolate(), worker = new Worker('export default { fetch: () => new Response("w") }');
    await pool.deploy('a', 'export default { fetch: () => new Response("p") }');
    const context = await isolate.createContext('export default { fetch: () => new Response("c") }');
    const texts = await Promise.all([pool.fetch('a', 'http://x'), worker.fetch('http://x'), context.fetch('http://x')].map(async (r) => (await r).text()));
    console.log(texts.join(), await runtime.evaluate('1'));`;
  const ended = await runScript(script);
  t.deepEqual([ended.stdout, ended.stderr, ended.code, ended.signal], ['p,w,c 1\n', '', 0, null]);
});

test.serial('a process stays while a request is in flight', async (t) => {
  const script = `
    import { executePooled } from 'isolane';
    executePooled('a', 'export default { async fetch() { await new Promise((r) => setTimeout(r, 300)); return new Response("later") } }', 'http://x')
      .then((r) => r.text()).then(console.log);`;
  const ended = await runScript(script);
  t.deepEqual([ended.stdout, ended.code], ['later\n', 0]);
});

test.serial('a worker thread of Node has its own connection, and may go while requests run', async (t) => {
  const index = path.resolve(__dirname, '../dist/index.js');
  const script = `
    const { executePooled } = require(${JSON.stringify(index)});
    const { parentPort } = require('node:worker_threads');
    executePooled('thread', 'export default { fetch: () => new Response("thread") }', 'http://x').then((r) => r.text()).then((text) => {
      executePooled('slow', 'export default { fetch: () => new Promise(() => setTimeout(() => {}, 60000)) }', 'http://x').catch(() => {});
      parentPort.postMessage(text);
    });`;
  for (let n = 0; n < 3; n += 1) {
    const thread = new Thread(script, { eval: true });
    const text = await new Promise((resolve, reject) => {
      thread.once('message', resolve);
      thread.once('error', reject);
    });
    t.is(text, 'thread');
    await thread.terminate();
  }
  t.is(await (await executePooled(newId(), HELLO, 'http://x/main')).text(), 'hello /main');
});
