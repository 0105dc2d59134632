// Streams between guests and the host: bodies that the host sends, and streams of guests that the host
// reads.
// Runs in a guest's context, on whichever thread has its isolate entered.

type HostSourceCore = InstanceType<Families['streams']['HostSource']>;

const streamsFamily = define('streams', { globals: {} }, (use, host) => {
  const { Deferred, inMicrotask, markHandled, react, rejectedWith, upon } = use('stream_support');
  const { typedArrayName } = use('webidl');
  const { DefaultReader } = use('readable_core');
  const { createReadableBytes } = use('readable_byte_controller');
  const { coreIn, coreOf, facadeOf } = use('readable_stream');

  /** How much the host takes at once. */
  const BYTES_PER_WRITE = 64 * 1024;

  /** Bytes that the host sends. Becomes a stream only where guest code wants one. */
  class HostSource {
    readonly #id: number;
    #stream: ReadableCore | undefined = undefined;
    #reading: InstanceType<typeof Deferred<Uint8Array | null>> | undefined = undefined;
    #failure: { readonly reason: unknown } | undefined = undefined;
    #ended = false;
    /** Called once when nothing more will come. */
    onEnd: (() => void) | undefined = undefined;

    constructor(id: number) {
      this.#id = id;
    }

    get stream(): ReadableCore {
      if (this.#stream === undefined) {
        this.#stream = createReadableBytes({
          start: undefined,
          pull: () => this.#pull(),
          cancel: () => {
            this.cancel();
            return Promise.resolve();
          },
        });
        this.#stream.hostSource = this;
        if (this.#failure !== undefined) {
          (this.#stream.controller as ByteControllerCore).error(this.#failure.reason);
        }
      }
      return this.#stream;
    }

    /** The next chunk, or null at the end. */
    read(): Promise<Uint8Array | null> {
      if (this.#failure !== undefined) return rejectedWith(this.#failure.reason);
      const reading = (this.#reading = new Deferred<Uint8Array | null>());
      upon(
        use('callbacks').wait<Uint8Array | null>(host.streamRead(this.#id)),
        (chunk) => {
          if (chunk === null) this.#end();
          reading.resolve(chunk);
        },
        (reason) => {
          this.#end();
          reading.reject(reason);
        },
      );
      return reading.promise;
    }

    /** All that is left, for a body that no stream was made of. */
    async readAll(): Promise<Uint8Array> {
      const chunks: Uint8Array[] = [];
      for (let chunk = await this.read(); chunk !== null; chunk = await this.read()) chunks.push(chunk);
      return concatenate(chunks);
    }

    /** The source of a stream that nobody has read from, nor is about to. */
    static untouchedOf(stream: ReadableCore): HostSource | undefined {
      const source = stream.hostSource;
      if (source === undefined || source.#ended || stream.disturbed || stream.locked) return undefined;
      return source;
    }

    /** Has the host send its bytes to its own stream `streamId`, without this side; takes the stream. */
    async forwardTo(streamId: number): Promise<void> {
      new DefaultReader(this.stream);
      this.stream.disturbed = true;
      try {
        const allSent = await use('callbacks').wait<boolean>(host.streamForward(this.#id, streamId));
        if (allSent) this.#end();
        else this.cancel();
      } catch (error) {
        this.#end();
        host.streamFail(streamId, describe(this.#failure === undefined ? error : this.#failure.reason));
      }
    }

    cancel(): void {
      if (this.#ended) return;
      this.#end();
      host.streamCancel(this.#id);
    }

    /** Makes every read fail with `reason` from now on. */
    fail(reason: unknown): void {
      if (this.#ended) return;
      this.#failure = { reason };
      this.cancel();
      if (this.#reading !== undefined) {
        markHandled(this.#reading.promise);
        this.#reading.reject(reason);
      }
      (this.#stream?.controller as ByteControllerCore | undefined)?.error(reason);
    }

    #end(): void {
      this.#ended = true;
      this.onEnd?.();
      this.onEnd = undefined;
    }

    #pull(): Promise<void> {
      return react(this.read(), (chunk) => {
        if (chunk === null) return endBytes(this.stream);
        // An empty chunk says nothing; a stream of bytes must not deliver it.
        if (chunk.byteLength === 0) return this.#pull();
        (this.stream.controller as ByteControllerCore).enqueue(chunk);
      });
    }
  }

  /** Closes a stream of bytes, answering the view that waits to be filled. */
  function endBytes(stream: ReadableCore): void {
    const controller = stream.controller as ByteControllerCore;
    controller.close();
    if (controller.hasPullIntos) controller.respond(0);
  }

  /** A stream of `bytes`, which become the stream's. */
  function streamOfBytes(bytes: Uint8Array): ReadableCore {
    let left: Uint8Array | undefined = bytes.byteLength === 0 ? undefined : bytes;
    const stream: ReadableCore = createReadableBytes({
      start: undefined,
      pull: () => {
        const chunk = left;
        left = undefined;
        if (chunk !== undefined) (stream.controller as ByteControllerCore).enqueue(chunk);
        endBytes(stream);
        return Promise.resolve();
      },
      cancel: undefined,
    });
    return stream;
  }

  /** A ReadableStream of the bytes that the host sends on `streamId`, pulled as they are read. */
  function fromHost(streamId: number): ReadableFacade {
    return facadeOf(new HostSource(streamId).stream);
  }

  function concatenate(chunks: Uint8Array[]): Uint8Array {
    if (chunks.length === 1) return chunks[0]!;
    let length = 0;
    for (let i = 0; i < chunks.length; i++) length += chunks[i]!.byteLength;
    const all = new Uint8Array(length);
    let offset = 0;
    for (let i = 0; i < chunks.length; i++) {
      all.set(chunks[i]!, offset);
      offset += chunks[i]!.byteLength;
    }
    return all;
  }

  /** Reads a stream to its end; rejects where a chunk is no Uint8Array. */
  function readAll(stream: ReadableCore): Promise<Uint8Array> {
    const done = new Deferred<Uint8Array>();
    const chunks: Uint8Array[] = [];
    const reader = new DefaultReader(stream);
    const next = (): void => reader.read(request);
    const request: ReadRequest = {
      chunk: (chunk) => {
        if (!isBytes(chunk)) {
          const reason = new TypeError('A chunk of the body is not a Uint8Array');
          markHandled(reader.cancel(reason));
          done.reject(reason);
          return;
        }
        chunks.push(chunk);
        // Not within this call: a stream that has many chunks ready would exhaust the stack.
        inMicrotask(next);
      },
      close: () => done.resolve(concatenate(chunks)),
      error: done.reject,
    };
    next();
    return done.promise;
  }

  function readAllBytes(stream: unknown): Promise<Uint8Array> {
    return readAll(coreOf(stream));
  }

  /**
   * Writes what `stream` gives to the host's stream `streamId`, at the pace of its reader.
   *
   * Locks the stream. The promise is fulfilled when there is nothing more to do, also after an error: that is
   * told to the host's reader, and a reader that has gone cancels the stream.
   */
  async function pumpToHost(stream: unknown, streamId: number): Promise<void> {
    const { wait } = use('callbacks');
    const core = coreOf(stream);
    const source = HostSource.untouchedOf(core);
    if (source !== undefined) return source.forwardTo(streamId);
    const reader = new DefaultReader(core);
    try {
      for (;;) {
        const chunk = await nextChunk(reader);
        if (chunk === undefined) return host.streamClose(streamId);
        for (let from = 0; from < chunk.byteLength; from += BYTES_PER_WRITE) {
          const outcome = host.streamWrite(streamId, chunk, from);
          if (outcome < 0) {
            markHandled(reader.cancel(new TypeError('The receiver of the stream is gone')));
            return;
          }
          if (outcome > 0) await wait<void>(outcome);
        }
      }
    } catch (error) {
      markHandled(reader.cancel(error));
      host.streamFail(streamId, describe(error));
    }
  }

  function nextChunk(reader: DefaultReaderCore): Promise<Uint8Array | undefined> {
    const read = new Deferred<Uint8Array | undefined>();
    reader.read({
      chunk: (chunk) => {
        if (isBytes(chunk)) read.resolve(chunk);
        else read.reject(new TypeError('A chunk of the body is not a Uint8Array'));
      },
      close: () => read.resolve(undefined),
      error: read.reject,
    });
    return read.promise;
  }

  function isBytes(chunk: unknown): chunk is Uint8Array {
    return typedArrayName(chunk) === 'Uint8Array';
  }

  function describe(error: unknown): string {
    try {
      if (error instanceof Error) return `${error.name}: ${error.message}`;
      return String(error);
    } catch {
      return 'The stream failed';
    }
  }

  function isDisturbed(stream: unknown): boolean {
    return coreOf(stream).disturbed;
  }

  function isLocked(stream: unknown): boolean {
    return coreOf(stream).locked;
  }

  function isReadableStream(value: unknown): value is ReadableFacade {
    return coreIn(value) !== undefined;
  }

  return {
    HostSource,
    concatenate,
    endBytes,
    streamOfBytes,
    readAll,
    fromHost,
    pumpToHost,
    readAllBytes,
    isDisturbed,
    isLocked,
    isReadableStream,
  };
});
interface Families {
  streams: FamilyOf<typeof streamsFamily>;
}
