// Owns the reading of a host's stream that is on its way into native code: ahead for a moment, then on demand.

/** What is read ahead of a body at most. */
const MOST_AHEAD = 128 * 1024;
const MOST_CHUNKS_AHEAD = 16;

type Read = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']>>;

/** A stream, of which the beginning may have been read already. */
export class BodySource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  /** What was read ahead, in order. */
  readonly #ahead: Read[] = [];
  #bytesAhead = 0;
  /** The read that is under way. */
  #reading: Promise<Read> | undefined;
  #isWanted = false;

  /** Locks the stream. Throws where it is locked already. */
  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** All of the stream, if it is short and there at once. */
  async ifShort(): Promise<Uint8Array | undefined> {
    void this.#readAhead();
    // From within a microtask the next tick comes after all others.
    await undefined;
    await new Promise<void>((resolve) => process.nextTick(resolve));
    this.#isWanted = true;
    if (this.#ahead.at(-1)?.done !== true) return undefined;
    const chunks = this.#ahead.flatMap(({ value }) => value ?? []);
    return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  }

  /** Reads as long as nobody wants anything. */
  async #readAhead(): Promise<void> {
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
