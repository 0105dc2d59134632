// Owns the way of a host's stream into native code: chunk by chunk, no faster than it is read there.

import { BindingBodyWriter, type BindingConnection } from '#binding';
import { forget, nextTicket, whenSettled } from './tickets.js';
import { invalidArgument } from './worker-error.js';

/** What `write` answers: the chunk was taken, it will be once there is room, or nobody reads any more. */
const WAIT = 1;
const CLOSED = 2;

/** Opens a native body for a stream and feeds it in the background; the stream is locked from here on. */
export function sendStream(
  connection: BindingConnection,
  stream: ReadableStream<Uint8Array>,
): BindingBodyWriter {
  const reader = stream.getReader();
  const writer = new BindingBodyWriter(connection);
  void pump(reader, writer);
  return writer;
}

async function pump(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  writer: BindingBodyWriter,
): Promise<void> {
  // Whoever reads may go away while the source is silent: then the source is told at once.
  const gone = nextTicket();
  whenSettled(gone, () => void reader.cancel('The body is no longer read').catch(ignore));
  writer.watchClosed(gone);
  try {
    let open = true;
    while (open) {
      const { done, value } = await reader.read();
      if (done) break;
      open = await write(writer, value);
    }
    forget(gone);
    writer.end();
    if (!open) await reader.cancel('The body is no longer read');
  } catch (error) {
    forget(gone);
    writer.fail(error instanceof Error ? error.message : 'The stream failed');
    await reader.cancel(error).catch(ignore);
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
