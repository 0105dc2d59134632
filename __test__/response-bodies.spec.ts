// WorkerResponse: the read side of Response.

import test from 'ava';
import { executePooled, WorkerError, type WorkerResponse } from '../index.js';
import { newId, URL_A } from './support/workers.js';

const respond = async (expression: string): Promise<WorkerResponse> =>
  await executePooled(newId(), `export default { fetch: () => ${expression} }`, URL_A);

/** A worker whose response streams the numbers 0 to count-1, with pauses. */
const STREAM = (count: number) => `export default { fetch() {
  let n = 0;
  return new Response(new ReadableStream({ async pull(controller) {
    await new Promise((r) => setTimeout(r, 1));
    if (n === ${count}) controller.close(); else controller.enqueue(new TextEncoder().encode(n++ + ';'));
  } }));
} }`;

test.serial('status, text and headers, repeated ones too', async (t) => {
  const response = await respond(
    `new Response('x', { status: 404, statusText: 'Gone Fishing', headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x-latin', 'é']] })`,
  );
  t.is(response.status, 404);
  t.is(response.statusText, 'Gone Fishing');
  t.false(response.ok);
  t.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
  t.is(response.headers.get('x-latin'), 'é');
  t.is(response.headers, response.headers);
});

test.serial('text, json, bytes, arrayBuffer and blob read any body', async (t) => {
  for (const body of [`'{"a":"ü"}'`, `new TextEncoder().encode('{"a":"ü"}')`, `new Blob(['{"a":"ü"}'])`]) {
    const make = () => respond(`new Response(${body}, { headers: { 'content-type': 'application/json' } })`);
    t.is(await (await make()).text(), '{"a":"ü"}');
    t.deepEqual(await (await make()).json(), { a: 'ü' });
    t.deepEqual(await (await make()).bytes(), new TextEncoder().encode('{"a":"ü"}'));
    t.is((await (await make()).arrayBuffer()).byteLength, 10);
    const blob = await (await make()).blob();
    t.is(blob.type, 'application/json');
    t.is(await blob.text(), '{"a":"ü"}');
  }
});

test.serial('json that is none rejects with a SyntaxError', async (t) => {
  await t.throwsAsync((await respond(`new Response('{')`)).json(), { instanceOf: SyntaxError });
});

test.serial('text drops a byte order mark', async (t) => {
  t.is(await (await respond(`new Response('\\ufeffx')`)).text(), 'x');
  t.is(await (await respond(`new Response(new Uint8Array([0xef, 0xbb, 0xbf, 0x78]))`)).text(), 'x');
});

test.serial('a body can be read once', async (t) => {
  const response = await respond(`new Response('x')`);
  t.false(response.bodyUsed);
  await response.text();
  t.true(response.bodyUsed);
  await t.throwsAsync(response.text(), { instanceOf: TypeError });
  t.throws(() => response.toResponse(), { instanceOf: TypeError });
});

test.serial('a response without a body has none', async (t) => {
  const response = await respond(`new Response(null, { status: 204 })`);
  t.is(response.body, null);
  t.is(await response.text(), '');
  t.false(response.bodyUsed);
  t.is(response.toResponse().status, 204);
});

test.serial('body streams what the guest streams, as it comes', async (t) => {
  const response = await executePooled(newId(), STREAM(10), URL_A);
  const chunks: string[] = [];
  for await (const chunk of response.body ?? []) chunks.push(Buffer.from(chunk).toString());
  t.is(chunks.join(''), '0;1;2;3;4;5;6;7;8;9;');
  t.true(chunks.length > 1);
  t.true(response.bodyUsed);
});

test.serial('a streamed body can be read whole, and through a BYOB reader', async (t) => {
  t.is(await (await executePooled(newId(), STREAM(5), URL_A)).text(), '0;1;2;3;4;');
  const { body } = await executePooled(newId(), STREAM(3), URL_A);
  const reader = (body as ReadableStream<Uint8Array>).getReader({ mode: 'byob' });
  let text = '';
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(64));
    if (done) break;
    text += Buffer.from(value).toString();
  }
  t.is(text, '0;1;2;');
});

test.serial('the guest goes on only as far as its response is read', async (t) => {
  const messages: string[] = [];
  const script = `export default { fetch() {
    let n = 0;
    return new Response(new ReadableStream({ pull(c) { console.log(String(n++)); c.enqueue(new Uint8Array(10)) } }, { highWaterMark: 0 }));
  } }`;
  const response = await executePooled(newId(), script, URL_A, {
    onLog: ({ message }) => messages.push(message),
    limits: { cpuMs: 0 },
  });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 60));
  t.true(messages.length < 50, `${messages.length} chunks were made`);
  await reader.cancel();
});

test.serial('cancelling the body reaches the guest', async (t) => {
  const messages: string[] = [];
  const script = `export default { fetch() {
    return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(10)) }, cancel() { console.log('cancelled') } }));
  } }`;
  const response = await executePooled(newId(), script, URL_A, {
    onLog: ({ message }) => messages.push(message),
  });
  await response.body?.cancel();
  for (let n = 0; n < 100 && messages.length === 0; n += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  t.deepEqual(messages, ['cancelled']);
});

test.serial('a stream that fails in the guest fails here', async (t) => {
  const script = `export default { fetch() {
    let n = 0;
    return new Response(new ReadableStream({ pull(c) { if (n++ < 2) c.enqueue(new Uint8Array(10)); else c.error(new RangeError('half way')) } }));
  } }`;
  const response = await executePooled(newId(), script, URL_A);
  await t.throwsAsync(response.bytes(), { instanceOf: WorkerError });
});

test.serial('toResponse gives a standard Response with the same parts', async (t) => {
  const make = async () =>
    (await respond(`new Response('text', { status: 201, headers: { 'x-a': 'b' } })`)).toResponse();
  const response = await make();
  t.true(response instanceof Response);
  t.is(response.status, 201);
  t.is(response.headers.get('x-a'), 'b');
  t.is(await response.text(), 'text');
  const streamed = (await executePooled(newId(), STREAM(3), URL_A)).toResponse();
  t.is(await streamed.text(), '0;1;2;');
});

test.serial('toResponse adds no header that the worker left out', async (t) => {
  const response = await respond(
    `{ const r = new Response('x'); r.headers.delete('content-type'); return r }`
      .replace('{', '(() => {')
      .concat(')()'),
  );
  t.is(response.toResponse().headers.get('content-type'), null);
});

test.serial('large bodies arrive whole', async (t) => {
  const script = `export default { fetch: () => new Response(new Uint8Array(20 << 20).fill(7)) }`;
  const bytes = await (await executePooled(newId(), { script, limits: { cpuMs: 0 } }, URL_A)).bytes();
  t.is(bytes.byteLength, 20 << 20);
  t.true(bytes[0] === 7 && bytes.at(-1) === 7);
});
