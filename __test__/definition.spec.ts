// WorkerDefinition: every option of a worker.

import test from 'ava';
import { executePooled, type WorkerDefinition } from '../index.js';
import { newId, URL_A } from './support/workers.js';

/** The text that a new worker answers with. */
async function textOf(worker: string | WorkerDefinition): Promise<string> {
  return await (await executePooled(newId(), worker, URL_A)).text();
}

test('script: a module with a default export', async (t) => {
  t.is(await textOf({ script: `export default { fetch: () => new Response('module') }` }), 'module');
});

test('script: one that adds an event listener', async (t) => {
  const script = `addEventListener('fetch', (event) => event.respondWith(new Response('event ' + event.request.method)))`;
  t.is(await textOf({ script }), 'event GET');
});

test('modules: the first key is the entry; every kind can be imported', async (t) => {
  const wasm = new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 8, 1, 4, 115, 105, 120, 116, 0, 0, 10,
    6, 1, 4, 0, 65, 60, 11,
  ]);
  const text = await textOf({
    modules: {
      'main.js': `
        import { greet } from './lib/greet.js';
        import typed from './typed.ts';
        import data from './data.json' with { type: 'json' };
        import note from './note.txt';
        import module from './answer.wasm';
        const lazy = await import('./lazy.mjs');
        export default {
          async fetch() {
            const instance = module instanceof WebAssembly.Module ? await WebAssembly.instantiate(module) : module;
            return Response.json([greet('you'), typed(2), data.list[1], note, lazy.default, instance.exports.sixt()]);
          },
        };`,
      'lib/greet.js': `import { mark } from '../mark.mjs'; export const greet = (name) => 'hi ' + name + mark;`,
      'mark.mjs': `export const mark = '!';`,
      'typed.ts': `interface N { n: number } export default function double(n: number): number { const x: N = { n }; return x.n * 2 }`,
      'data.json': `{ "list": [1, "two"] }`,
      'note.txt': 'some text',
      'lazy.mjs': `export default 'lazy'`,
      'answer.wasm': wasm,
    },
  });
  t.is(text, '["hi you!",4,"two","some text","lazy",60]');
});

test('modules: one that is missing is a syntax error that names it', async (t) => {
  const missing = executePooled(newId(), { modules: { 'main.js': `import './gone.js'` } }, URL_A);
  const error = await t.throwsAsync(missing, { code: 'ERR_WORKER_SYNTAX' });
  t.regex(error?.message ?? '', /gone\.js/);
});

test('env: JSON values arrive as they are', async (t) => {
  const env = {
    text: 'é',
    number: 1.5,
    yes: true,
    nothing: null,
    list: [1, [2]],
    nested: { a: { b: '"\u2028' } },
  };
  const script = `export default { fetch: (_, env) => Response.json(env) }`;
  t.deepEqual(JSON.parse(await textOf({ script, env })), env);
});

test('env: what a caller changes later does not arrive', async (t) => {
  const env = { list: [1] };
  const worker = { script: `export default { fetch: (_, env) => Response.json(env.list) }`, env };
  const id = newId();
  t.is(await (await executePooled(id, worker, URL_A)).text(), '[1]');
  env.list.push(2);
  t.is(await (await executePooled(id, worker, URL_A)).text(), '[1,2]');
});

test('context: fresh gives each request its own module state', async (t) => {
  const script = `let count = 0; export default { fetch: () => new Response(String(++count)) }`;
  const id = newId();
  for (let n = 0; n < 3; n += 1) {
    t.is(await (await executePooled(id, { script, context: 'fresh' }, URL_A)).text(), '1');
  }
});

test('codegen: off by default', async (t) => {
  const script = `export default { fetch() { return new Response(String(new Function('return 7')())) } }`;
  await t.throwsAsync(textOf({ script }), { code: 'ERR_WORKER_EXCEPTION' });
  t.is(await textOf({ script, codegen: true }), '7');
});

test('limits: those of the worker apply', async (t) => {
  const script = `export default { fetch() { while (true) {} } }`;
  await t.throwsAsync(textOf({ script, limits: { cpuMs: 15 } }), { code: 'ERR_CPU_LIMIT' });
});

test('changed modules, env and limits redeploy; equal ones do not', async (t) => {
  const main = `let count = 0; import data from './data.json' with { type: 'json' };
    export default { fetch: (_, env) => new Response([data.v, env.v, ++count].join()) }`;
  const worker = (data: number, v: number): WorkerDefinition => ({
    modules: { 'main.js': main, 'data.json': `{"v":${data}}` },
    env: { v },
  });
  const id = newId();
  const run = async (definition: WorkerDefinition) =>
    await (await executePooled(id, definition, URL_A)).text();
  t.is(await run(worker(1, 1)), '1,1,1');
  t.is(await run(worker(1, 1)), '1,1,2');
  t.is(await run(worker(2, 1)), '2,1,1');
  t.is(await run(worker(2, 2)), '2,2,1');
});
