// Owns the reading of native bodies: as a stream, pulled chunk by chunk, or whole.

import type { BindingBodyReader } from '#binding';
import { nextTicket, whenSettled } from './tickets.js';
import { failureToError } from './worker-error.js';

/** What `read` answers where it has no chunk: the end, or that its ticket will tell when to ask again. */
const ENDED = 0;

/** What must live as long as somebody may read: the worker that writes the body. */
const owners = new WeakMap<BindingBodyReader, unknown>();

/** Holds `owner` as long as the reader lives. */
export function keepWhileRead(reader: BindingBodyReader, owner: unknown): void {
  owners.set(reader, owner);
}

/** The next chunk, or null at the end. Rejects with what failed the body. */
export async function readChunk(reader: BindingBodyReader): Promise<Uint8Array | null> {
  for (;;) {
    const ticket = nextTicket();
    const answer = reader.read(ticket);
    if (answer === ENDED) return null;
    if (typeof answer === 'string') throw failureToError(answer);
    if (typeof answer !== 'number') return answer;
    await new Promise<void>((resolve) => whenSettled(ticket, () => resolve(), reader));
  }
}

/** All of a body. */
export async function readAll(reader: BindingBodyReader): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let chunk = await readChunk(reader); chunk !== null; chunk = await readChunk(reader)) {
    chunks.push(chunk);
    length += chunk.byteLength;
  }
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** A body as a stream of bytes. It reads nothing ahead: the guest goes on when its reader does. */
export function streamFromReader(reader: BindingBodyReader): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      type: 'bytes',
      async pull(controller) {
        const chunk = await readChunk(reader);
        if (chunk === null) {
          controller.close();
          // A reader with a buffer of its own still waits for it to be handed back.
          controller.byobRequest?.respond(0);
        } else {
          controller.enqueue(chunk);
        }
      },
      cancel() {
        reader.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}

/** A stream of bytes that are all there. */
export function streamFromBytes(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: 'bytes',
    start(controller) {
      // A copy, because the stream takes the buffer away from whoever else holds it.
      if (bytes.byteLength > 0) controller.enqueue(bytes.slice());
      controller.close();
    },
  });
}
