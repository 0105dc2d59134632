// onLog: what guests write with console, before the response that it belongs to.

import test from 'ava';
import { executePooled, IsolatePool, type LogEntry } from '../index.js';
import { newId, URL_A } from './support/workers.js';

const CHATTY = `export default { fetch() {
  console.debug('d'); console.log('l', 1, { a: [true] }); console.info('i'); console.warn('w'); console.error(new TypeError('e').message);
  return new Response('done');
} }`;

test('entries say level, message, worker, request and time', async (t) => {
  const entries: LogEntry[] = [];
  const id = newId();
  const before = Date.now() - 2;
  await executePooled(id, CHATTY, URL_A, { onLog: (entry) => entries.push(entry) });
  t.deepEqual(
    entries.map((entry) => entry.level),
    ['debug', 'log', 'info', 'warn', 'error'],
  );
  t.is(entries[0]?.message, 'd');
  t.is(entries[4]?.message, 'e');
  t.regex(entries[1]?.message ?? '', /^l 1 .*a.*true/);
  t.true(entries.every((entry) => entry.workerId === id && entry.requestId === entries[0]?.requestId));
  t.true(entries.every((entry) => entry.timestamp >= before && entry.timestamp <= Date.now() + 2));
});

test('entries come before the response, also of quick requests', async (t) => {
  const id = newId();
  for (let n = 0; n < 200; n += 1) {
    const messages: string[] = [];
    await executePooled(
      id,
      `export default { fetch: () => { console.log('first'); return new Response() } }`,
      URL_A,
      {
        onLog: ({ message }) => messages.push(message),
      },
    );
    t.deepEqual(messages, ['first']);
  }
});

test('the handler of a call goes over that of the pool', async (t) => {
  const pool: string[] = [];
  const call: string[] = [];
  await using isolates = new IsolatePool({ onLog: ({ message }) => pool.push(message) });
  await isolates.deploy(
    'a',
    `export default { fetch: (request) => { console.log(request.url); return new Response() } }`,
  );
  await isolates.fetch('a', 'http://x/1');
  await isolates.fetch('a', 'http://x/2', { onLog: ({ message }) => call.push(message) });
  await isolates.fetch('a', 'http://x/3');
  t.deepEqual(pool, ['http://x/1', 'http://x/3']);
  t.deepEqual(call, ['http://x/2']);
});

test('requests have different ids', async (t) => {
  const ids = new Set<number>();
  const id = newId();
  for (let n = 0; n < 5; n += 1)
    await executePooled(id, CHATTY, URL_A, { onLog: ({ requestId }) => ids.add(requestId) });
  t.is(ids.size, 5);
});
