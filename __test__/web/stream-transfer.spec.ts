// Streams that structuredClone and postMessage take along. What the tests assert runs in the guest.

import test from 'ava';
import { passes } from '../support/guest.js';

test('a transferred stream goes on with copies of the chunks', async (t) => {
  await passes(
    t,
    `
    const chunk = { deep: [1] };
    const source = new ReadableStream({ start(c) { c.enqueue(chunk); c.close(); } });
    const moved = structuredClone({ source }, { transfer: [source] }).source;
    same(source.locked, true);
    const reader = moved.getReader();
    const { value } = await reader.read();
    same(value, chunk);
    same(value.deep === chunk.deep, false);
    same((await reader.read()).done, true);

    const written = [];
    const sink = new WritableStream({ write(part) { written.push(part); } });
    const writer = structuredClone(sink, { transfer: [sink] }).getWriter();
    await writer.write(chunk);
    await writer.close();
    same([written, written[0] === chunk, sink.locked], [[chunk], false, true]);

    const { port1, port2 } = new MessageChannel();
    const upper = new TransformStream({ transform(part, c) { c.enqueue(part.toUpperCase()); } });
    port1.postMessage(upper, [upper]);
    const { data } = await new Promise((resolve) => { port2.onmessage = resolve; });
    same(data instanceof TransformStream, true);
    const input = data.writable.getWriter();
    input.write('a');
    same((await data.readable.getReader().read()).value, 'A');
    port1.close();`,
  );
});

test('errors and cancellations pass through a transferred stream', async (t) => {
  await passes(
    t,
    `
    const failing = new ReadableStream({ start(c) { c.error(new RangeError('broken')); } });
    const moved = structuredClone(failing, { transfer: [failing] });
    await rejects('RangeError', moved.getReader().read());
    const unclonable = new ReadableStream({ start(c) { c.enqueue(() => {}); } });
    await rejects('DataCloneError', structuredClone(unclonable, { transfer: [unclonable] }).getReader().read());
    let reason;
    const source = new ReadableStream({ cancel(why) { reason = why; } });
    await structuredClone(source, { transfer: [source] }).cancel('enough');
    await task();
    same(reason, 'enough');`,
  );
});

test('a locked stream cannot be transferred', async (t) => {
  await passes(
    t,
    `
    const transfer = (stream) => structuredClone(stream, { transfer: [stream] });
    const readable = new ReadableStream();
    readable.getReader();
    throws('DataCloneError', () => transfer(readable));
    const writable = new WritableStream();
    writable.getWriter();
    throws('DataCloneError', () => transfer(writable));
    const both = new TransformStream();
    throws('DataCloneError', () => structuredClone(both, { transfer: [both, both.readable] }));
    const locked = new TransformStream();
    locked.writable.getWriter();
    throws('DataCloneError', () => transfer(locked));
    throws('DataCloneError', () => structuredClone(new ReadableStream()));`,
  );
});
