// outbound: where a guest's fetch may go, and a function in the place of the network.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { executePooled, type OutboundHandler, type WorkerDefinition } from '../index.js';
import { newId, URL_A } from './support/workers.js';

let server: Server;
let local: string;

test.before(async () => {
  server = createServer((request, response) => {
    response.setHeader('x-path', request.url ?? '');
    request.pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  local = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
test.after.always(() => server.close());

async function run(body: string, outbound?: WorkerDefinition['outbound']): Promise<unknown> {
  const script = `export default { async fetch(request, env) { ${body} } }`;
  const definition: WorkerDefinition = { script, env: { local } };
  if (outbound !== undefined) definition.outbound = outbound;
  return await (await executePooled(newId(), definition, URL_A)).json();
}

const TRY = `try { const r = await fetch(env.local + '/p'); return Response.json(r.headers.get('x-path')) } catch (e) { return Response.json(e.name + ': ' + e.message) }`;

test('any: the network as it is', async (t) => {
  t.is(await run(TRY, 'any'), '/p');
});

for (const policy of [undefined, 'public', 'none'] as const) {
  test(`${policy ?? 'the default'}: refuses loopback, without naming the address`, async (t) => {
    const answer = String(await run(TRY, policy));
    t.regex(answer, /^TypeError: fetch failed/);
    t.notRegex(answer, /127\.0\.0\.1/);
  });
}

test('any: streams bodies both ways', async (t) => {
  const answer = await run(
    `const parts = ['one ', 'two ', 'three'];
     const body = new ReadableStream({ pull(c) { const p = parts.shift(); if (p) c.enqueue(new TextEncoder().encode(p)); else c.close() } });
     const r = await fetch(env.local + '/echo', { method: 'POST', body, duplex: 'half' });
     return Response.json(await r.text())`,
    'any',
  );
  t.is(answer, 'one two three');
});

test('a function gets the request and its response arrives', async (t) => {
  const seen: unknown[] = [];
  const outbound: OutboundHandler = async (request) => {
    seen.push([request.method, request.url, request.headers.get('x-a'), await request.text()]);
    return new Response('from the host', { status: 201, statusText: 'Made', headers: { 'x-b': 'c' } });
  };
  const answer = await run(
    `const r = await fetch('http://service.test/path?q', { method: 'PUT', headers: { 'x-a': '1' }, body: 'sent' });
     return Response.json([r.status, r.statusText, r.ok, r.headers.get('x-b'), await r.text()])`,
    outbound,
  );
  t.deepEqual(seen, [['PUT', 'http://service.test/path?q', '1', 'sent']]);
  t.deepEqual(answer, [201, 'Made', true, 'c', 'from the host']);
});

test('a function may answer without a body, and with bytes', async (t) => {
  const answer = await run(
    `const none = await fetch('http://x/none'); const bytes = await fetch('http://x/bytes');
     return Response.json([none.status, none.body === null, [...new Uint8Array(await bytes.arrayBuffer())]])`,
    (request) =>
      request.url.endsWith('none')
        ? new Response(null, { status: 204 })
        : new Response(new Uint8Array([0, 255, 128])),
  );
  t.deepEqual(answer, [204, true, [0, 255, 128]]);
});

test('what a function streams to a guest that no longer waits is cancelled', async (t) => {
  const cancelled = new Promise<void>((resolve) => {
    const outbound = (request: Request) =>
      new Promise<Response>((answer) => {
        const source = new ReadableStream({
          pull: (c) => c.enqueue(new Uint8Array(1000)),
          cancel: () => resolve(),
        });
        request.signal.addEventListener('abort', () => answer(new Response(source)));
      });
    const body = `const signal = AbortSignal.timeout(20); return Response.json(await fetch('http://x/', { signal }).catch((e) => e.name))`;
    void run(body, outbound).then((name) => t.is(name, 'TimeoutError'));
  });
  await t.notThrowsAsync(cancelled);
});

test("a function's body arrives whole, however it comes", async (t) => {
  const bytes = (length: number, first: number) => Uint8Array.from({ length }, (_, at) => first + at);
  const chunks = (count: number, chunk: (n: number) => Uint8Array, wait?: () => Promise<unknown>) => {
    let n = 0;
    const next = (c: ReadableStreamDefaultController) => {
      n += 1;
      if (n > count) c.close();
      else c.enqueue(chunk(n));
    };
    return new ReadableStream({ pull: (c) => (wait === undefined ? next(c) : wait().then(() => next(c))) });
  };
  const bodies: Array<() => ReadableStream | string | null> = [
    () => null,
    () => '',
    () => 'short',
    () => new ReadableStream({ start: (c) => c.close() }),
    () =>
      new ReadableStream({
        start(c) {
          for (const at of [1, 0, 3]) c.enqueue(bytes(at, at));
          c.close();
        },
      }),
    () => chunks(40, (n) => bytes(n % 3, n)),
    () => chunks(40, (n) => bytes(1000, n)),
    () =>
      chunks(
        4,
        (n) => bytes(10, n),
        () => new Promise((turned) => setImmediate(turned)),
      ),
  ];
  const expected = await Promise.all(
    bodies.map(async (body) => [...new Uint8Array(await new Response(body()).arrayBuffer())]),
  );
  const outbound = (request: Request) =>
    new Response(bodies[Number(new URL(request.url).pathname.slice(1))]?.());
  const read = `await Promise.all(Array.from({ length: ${bodies.length} }, async (_, n) => [...await (await fetch('http://x/' + n)).bytes()]))`;
  t.deepEqual(await run(`return Response.json(${read})`, outbound), expected);
});

test("a function's body may fail, at once or later", async (t) => {
  const failing = (after: number) => {
    let n = 0;
    return new ReadableStream({
      pull(c) {
        n += 1;
        if (n > after) c.error(new Error('broken'));
        else c.enqueue(new Uint8Array(9));
      },
    });
  };
  const outbound = (request: Request) =>
    new Response(failing(Number(new URL(request.url).pathname.slice(1))));
  const read = `await Promise.all([0, 1, 40].map((n) => fetch('http://x/' + n).then((r) => r.bytes()).catch((e) => e.name)))`;
  t.deepEqual(await run(`return Response.json(${read})`, outbound), ['TypeError', 'TypeError', 'TypeError']);
});

test('a function may stream, and the guest reads as it comes', async (t) => {
  const answer = await run(
    `const r = await fetch('http://x/'); const chunks = []; for await (const chunk of r.body) chunks.push(new TextDecoder().decode(chunk)); return Response.json(chunks.join(''))`,
    () => {
      let n = 0;
      return new Response(
        new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 2));
            if (n === 10) controller.close();
            else controller.enqueue(new TextEncoder().encode(`${n++};`));
          },
        }),
      );
    },
  );
  t.is(answer, '0;1;2;3;4;5;6;7;8;9;');
});

test('what a function throws is a failed fetch, and its text stays with the host', async (t) => {
  const failing: OutboundHandler[] = [
    () => {
      throw new Error('secret text');
    },
    () => Promise.reject(new Error('secret text')),
    () => 5 as never,
    () => Response.error(),
  ];
  for (const outbound of failing) {
    const answer = String(await run(TRY, outbound));
    t.regex(answer, /^TypeError: fetch failed/);
    t.notRegex(answer, /secret|outbound/);
  }
});

test('a guest that aborts its fetch aborts the request of the function', async (t) => {
  let signalOfRequest!: (signal: AbortSignal) => void;
  const signal = new Promise<AbortSignal>((resolve) => (signalOfRequest = resolve));
  const aborted = signal.then(
    (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('aborted'))),
  );
  const answer = await run(
    `const controller = new AbortController();
     const fetched = fetch('http://x/', { signal: controller.signal }).then(() => 'no', (e) => e.name);
     await fetch('http://x/once-the-function-has-it'); controller.abort();
     return Response.json(await fetched)`,
    async (request) => {
      if (request.url.endsWith('/once-the-function-has-it')) {
        await signal;
        return new Response('');
      }
      signalOfRequest(request.signal);
      return new Promise<Response>(() => {});
    },
  );
  t.is(answer, 'AbortError');
  t.is(await aborted, 'aborted');
});

test('a function may pass the request on', async (t) => {
  const outbound: OutboundHandler = (request) =>
    fetch(request.url.replace('http://upstream.test', local), request);
  t.is(
    await run(
      `return Response.json((await fetch('http://upstream.test/through')).headers.get('x-path'))`,
      outbound,
    ),
    '/through',
  );
});
