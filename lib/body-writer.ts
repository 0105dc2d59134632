// Owns the way of a host's stream into native code: chunk by chunk, no faster than it is read there.

import { BindingBodyWriter, type BindingConnection } from '#binding';
import { BodySource } from './body-source.js';
import type { Link } from './link.js';
import { forget, nextTicket, whenSettled } from './tickets.js';
import { invalidArgument } from './worker-error.js';

/** What `write` answers: the chunk was taken, it will be once there is room, or nobody reads any more. */
const WAIT = 1;
const CLOSED = 2;

/** A stream as a response's body: whole where it is short and there at once, as most are, else as a native body. */
export async function sendResponseBody(
  connection: BindingConnection,
  stream: ReadableStream<Uint8Array>,
): Promise<BindingBodyWriter | Uint8Array> {
  const source = new BodySource(stream);
  const whole = await source.ifShort();
  if (whole !== undefined) return whole;
  const writer = new BindingBodyWriter(connection);
  void pump(source, writer);
  return writer;
}

/** Sends the body of a request that has begun. */
export async function sendRequestBody(
  { connection, deliver }: Link,
  ticket: number,
  source: BodySource,
): Promise<void> {
  const whole = await source.ifShort();
  if (whole === undefined) return pump(source, BindingBodyWriter.ofRequest(connection, ticket));
  deliver(connection.sendBody(ticket, whole));
}

async function pump(source: BodySource, writer: BindingBodyWriter): Promise<void> {
  // Whoever reads may go away while the source is silent: then the source is told at once.
  const gone = nextTicket();
  whenSettled(gone, () => void source.cancel('The body is no longer read').catch(ignore));
  writer.watchClosed(gone);
  try {
    let open = true;
    while (open) {
      const { done, value } = await source.next();
      if (done) break;
      open = await write(writer, value);
    }
    forget(gone);
    writer.end();
    if (!open) await source.cancel('The body is no longer read');
  } catch (error) {
    forget(gone);
    writer.fail(error instanceof Error ? error.message : 'The stream failed');
    await source.cancel(error).catch(ignore);
  }
}

/** Whether to go on; resolves when there is room for the next chunk. */
async function write(writer: BindingBodyWriter, chunk: unknown): Promise<boolean> {
  if (!(chunk instanceof Uint8Array)) throw invalidArgument('a chunk of the body', 'a Uint8Array', chunk);
  if (chunk.byteLength === 0) return true;
  const ticket = nextTicket();
  const answer = writer.write(ticket, chunk);
  if (answer !== WAIT) return answer !== CLOSED;
  return await new Promise<boolean>((resolve) => {
    whenSettled(ticket, (head) => resolve(head !== CLOSED));
  });
}

function ignore(): void {}
