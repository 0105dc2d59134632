// Request bodies: every kind that fetch takes, streamed with backpressure.

import test from 'ava';
import { type BodyLike, executePooled } from '../index.js';
import { ECHO, type Echo, newId, URL_A } from './support/workers.js';

const id = newId();
async function send(body: BodyLike, headers?: Record<string, string>): Promise<Echo> {
  const request = { url: URL_A, method: 'POST', body, ...(headers === undefined ? {} : { headers }) };
  return (await (await executePooled(id, ECHO, request)).json()) as Echo;
}

test.serial('strings', async (t) => {
  const echo = await send('grüße 😀');
  t.is(echo.body, 'grüße 😀');
  t.is(echo.headers['content-type'], 'text/plain;charset=UTF-8');
});

test.serial('a content-type that was given stays', async (t) => {
  t.is(
    (await send('{}', { 'content-type': 'application/json' })).headers['content-type'],
    'application/json',
  );
});

test.serial('bytes, buffers and views', async (t) => {
  const bytes = new TextEncoder().encode('..bytes..');
  t.is((await send(bytes)).body, '..bytes..');
  t.is((await send(bytes.subarray(2, 7))).body, 'bytes');
  t.is((await send(bytes.buffer as ArrayBuffer)).body, '..bytes..');
  t.is((await send(new DataView(bytes.buffer, 2, 5))).body, 'bytes');
  t.is((await send(Buffer.from('buffer'))).body, 'buffer');
  t.is((await send(new Uint8Array(0))).body, '');
  t.is((await send(bytes)).headers['content-type'], undefined);
});

test.serial('what is changed after the call does not arrive', async (t) => {
  const bytes = new TextEncoder().encode('before');
  const echo = send(bytes);
  bytes.fill(0);
  t.is((await echo).body, 'before');
});

test.serial('URLSearchParams', async (t) => {
  const echo = await send(new URLSearchParams({ a: '1 2' }));
  t.is(echo.body, 'a=1+2');
  t.is(echo.headers['content-type'], 'application/x-www-form-urlencoded;charset=UTF-8');
});

test.serial('Blob', async (t) => {
  const echo = await send(new Blob(['blo', 'b'], { type: 'text/x' }));
  t.is(echo.body, 'blob');
  t.is(echo.headers['content-type'], 'text/x');
});

test.serial('FormData', async (t) => {
  const form = new FormData();
  form.set('field', 'value');
  form.set('file', new Blob(['content']), 'name.txt');
  const echo = await send(form);
  t.regex(echo.headers['content-type'] ?? '', /^multipart\/form-data; ?boundary=/);
  t.regex(echo.body ?? '', /name="field"\r\n\r\nvalue/);
  t.regex(echo.body ?? '', /filename="name.txt"/);
});

test.serial('streams', async (t) => {
  const parts = ['one ', 'two ', 'three'];
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      const part = parts.shift();
      if (part === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(part));
    },
  });
  t.is((await send(body)).body, 'one two three');
  t.true(body.locked);
});

test.serial('a stream is pulled no faster than the guest reads', async (t) => {
  let pulled = 0;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(1000));
      },
      cancel() {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const script = `export default { async fetch(request) {
    const reader = request.body.getReader();
    const { value } = await reader.read();
    await new Promise((r) => setTimeout(r, 50));
    return new Response(String(value.length));
  } }`;
  const response = await executePooled(newId(), script, { url: URL_A, method: 'POST', body });
  t.is(await response.text(), '1000');
  t.true(pulled < 20, `${pulled} chunks`);
  for (let n = 0; n < 100 && !cancelled; n += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  t.true(cancelled);
});

test.serial("a stream that fails fails in the guest, without the host's text", async (t) => {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array([1]));
    },
    pull(controller) {
      controller.error(new Error('secret text'));
    },
  });
  const script = `export default { async fetch(request) {
    try { await request.arrayBuffer(); return new Response('read') } catch (e) { return new Response(e.name + ': ' + e.message) }
  } }`;
  const text = await (await executePooled(newId(), script, { url: URL_A, method: 'POST', body })).text();
  t.regex(text, /Error/);
  t.notRegex(text, /secret/);
});

test.serial('a stream arrives whole, however it comes', async (t) => {
  const chunks = (count: number, length: number, wait?: () => Promise<unknown>) => {
    let n = 0;
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (wait !== undefined) await wait();
        if (n === count) return controller.close();
        controller.enqueue(new Uint8Array(length).fill(97 + (n % 26)));
        n += 1;
      },
    });
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const tick = () => new Promise<void>((resolve) => process.nextTick(resolve));
  const bodies = [
    () => chunks(0, 0),
    () => chunks(3, 0),
    () => chunks(1, 5),
    () => chunks(7, 5),
    () => chunks(40, 5),
    () => chunks(1, 300_000),
    () => chunks(5, 60_000),
    () => chunks(4, 5, tick),
    () => chunks(4, 5, turn),
  ];
  for (const body of bodies) {
    const expected = await new Response(body()).text();
    t.is((await send(body())).body, expected);
    const request = new Request(URL_A, { method: 'POST', body: body(), duplex: 'half' });
    const echo = (await (await executePooled(id, ECHO, request)).json()) as Echo;
    t.is(echo.body, expected);
  }
});

test.serial('the body of a request that is given up is cancelled', async (t) => {
  const controller = new AbortController();
  let tell = () => {};
  const cancelled = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const body = new ReadableStream<Uint8Array>({ cancel: () => tell() });
  const request = { url: URL_A, method: 'POST', body };
  const given = executePooled(id, ECHO, request, { signal: controller.signal }).then(
    () => 'answered',
    (error: DOMException) => error.name,
  );
  controller.abort();
  t.is(await given, 'AbortError');
  await t.notThrowsAsync(cancelled);
});

test.serial('a Request whose body somebody else reads is refused', async (t) => {
  const request = new Request(URL_A, { method: 'POST', body: 'text' });
  request.body?.getReader();
  await t.throwsAsync(executePooled(id, ECHO, request), { instanceOf: TypeError });
});

test.serial('a stream of what is not bytes fails', async (t) => {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue('text');
      controller.close();
    },
  });
  await t.throwsAsync(executePooled(newId(), ECHO, { url: URL_A, method: 'POST', body }), {
    code: 'ERR_WORKER_EXCEPTION',
  });
});

test.serial('large bodies arrive whole', async (t) => {
  const script = `export default { async fetch(request) {
    let sum = 0, length = 0;
    for await (const chunk of request.body) { length += chunk.length; for (let i = 0; i < chunk.length; i += 4096) sum += chunk[i] }
    return Response.json({ length, sum });
  } }`;
  const bytes = new Uint8Array(8 << 20).fill(1);
  const limits = { cpuMs: 0 };
  const whole = await executePooled(newId(), { script, limits }, { url: URL_A, method: 'POST', body: bytes });
  t.deepEqual(await whole.json(), { length: 8 << 20, sum: 2048 });
  const stream = await executePooled(
    newId(),
    { script, limits },
    { url: URL_A, method: 'POST', body: new Blob([bytes]) },
  );
  t.is(((await stream.json()) as { length: number }).length, 8 << 20);
});
