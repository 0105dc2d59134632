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
  return send(connection, new Source(stream.getReader()));
}

/** The same, but a body that is short and there at once is given whole: most are, and need no native body. */
export async function sendStreamOrBytes(
  connection: BindingConnection,
  stream: ReadableStream<Uint8Array>,
): Promise<BindingBodyWriter | Uint8Array> {
  const source = new Source(stream.getReader());
  void source.readAhead();
  await new Promise<void>((resolve) => process.nextTick(resolve));
  return source.whole() ?? send(connection, source);
}

function send(connection: BindingConnection, source: Source): BindingBodyWriter {
  const writer = new BindingBodyWriter(connection);
  void pump(source, writer);
  return writer;
}

/** What is read ahead of a body at most. */
const MOST_AHEAD = 16 * 1024;
const MOST_CHUNKS_AHEAD = 16;

type Read = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']>>;

/** A stream, of which the beginning may have been read already. */
class Source {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  /** What was read ahead, in order. */
  readonly #ahead: Read[] = [];
  #bytesAhead = 0;
  /** The read that is under way. */
  #reading: Promise<Read> | undefined;
  #isWanted = false;

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#reader = reader;
  }

  /** Reads as long as nobody wants anything. */
  async readAhead(): Promise<void> {
    try {
      while (this.#bytesAhead < MOST_AHEAD && this.#ahead.length < MOST_CHUNKS_AHEAD) {
        this.#reading = this.#reader.read();
        const read = await this.#reading;
        if (this.#isWanted) return;
        this.#reading = undefined;
        this.#ahead.push(read);
        if (!(read.value instanceof Uint8Array)) return;
        this.#bytesAhead += read.value.byteLength;
      }
    } catch {
      // Whoever wants the next chunk gets the failure, from the same read.
    }
  }

  /** All of the stream, if that was read ahead. */
  whole(): Uint8Array | undefined {
    this.#isWanted = true;
    if (this.#ahead.at(-1)?.done !== true) return undefined;
    const chunks = this.#ahead.flatMap(({ value }) => value ?? []);
    return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  }

  async next(): Promise<Read> {
    const ahead = this.#ahead.shift();
    if (ahead !== undefined) return ahead;
    const reading = this.#reading ?? this.#reader.read();
    this.#reading = undefined;
    return await reading;
  }

  async cancel(reason: unknown): Promise<void> {
    await this.#reader.cancel(reason);
  }
}

async function pump(source: Source, writer: BindingBodyWriter): Promise<void> {
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
