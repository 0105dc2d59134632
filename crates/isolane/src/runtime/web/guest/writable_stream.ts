// WritableStream and WritableStreamDefaultWriter (Streams standard, sections 5.2 and 5.3).
// Runs in a guest's context, on whichever thread has its isolate entered.

const writableStreamFamily = define(
  'writable_stream',
  {
    globals: { WritableStream: 'class', WritableStreamDefaultWriter: 'class' },
  },
  (use) => {
    const { finishInterface, internal, makeTransferable, requireArguments } = use('webidl');
    const { callForPromise, isObject, rejectedWith, toCallback, toDictionary } = use('stream_support');
    const { Strategy } = use('queuing');
    const { Writable, Writer } = use('writable_core');
    const { WritableController } = use('writable_controller');

    const illegalInvocation = (): Promise<never> => rejectedWith(new TypeError('Illegal invocation'));
    const released = (): TypeError => new TypeError('This writer has been released');

    let coreIn!: (stream: unknown) => WritableCore | undefined;

    class WritableStream {
      #core: WritableCore;

      constructor(sink: unknown = undefined, strategy: unknown = undefined) {
        if (sink === internal) {
          this.#core = strategy as WritableCore;
        } else {
          this.#core = new Writable();
          setUp(this.#core, sink, strategy);
        }
      }

      get locked(): boolean {
        return this.#core.locked;
      }

      abort(reason: unknown = undefined): Promise<void> {
        if (!isObject(this) || !(#core in this)) return illegalInvocation();
        if (this.#core.locked) return rejectedWith(new TypeError('A locked stream cannot be aborted'));
        return this.#core.abort(reason);
      }

      close(): Promise<void> {
        if (!isObject(this) || !(#core in this)) return illegalInvocation();
        if (this.#core.locked) return rejectedWith(new TypeError('A locked stream cannot be closed'));
        if (this.#core.closeQueuedOrInFlight) {
          return rejectedWith(new TypeError('The stream is closing already'));
        }
        return this.#core.close();
      }

      getWriter(): WritableStreamDefaultWriter {
        void this.#core;
        return new WritableStreamDefaultWriter(this);
      }

      static {
        coreIn = (stream) => (isObject(stream) && #core in stream ? stream.#core : undefined);
      }
    }

    class WritableStreamDefaultWriter {
      #core: WriterCore;

      constructor(stream: unknown) {
        requireArguments(1, arguments.length, "Failed to construct 'WritableStreamDefaultWriter'");
        this.#core = new Writer(writableCoreOf(stream));
      }

      get closed(): Promise<void> {
        return isObject(this) && #core in this ? this.#core.closed.promise : illegalInvocation();
      }

      get desiredSize(): number | null {
        if (this.#core.stream === undefined) throw released();
        return this.#core.desiredSize;
      }

      get ready(): Promise<void> {
        return isObject(this) && #core in this ? this.#core.ready.promise : illegalInvocation();
      }

      abort(reason: unknown = undefined): Promise<void> {
        if (!isObject(this) || !(#core in this)) return illegalInvocation();
        return this.#core.stream?.abort(reason) ?? rejectedWith(released());
      }

      close(): Promise<void> {
        if (!isObject(this) || !(#core in this)) return illegalInvocation();
        const { stream } = this.#core;
        if (stream === undefined) return rejectedWith(released());
        if (stream.closeQueuedOrInFlight) return rejectedWith(new TypeError('The stream is closing already'));
        return stream.close();
      }

      releaseLock(): void {
        this.#core.release();
      }

      write(chunk: unknown = undefined): Promise<void> {
        if (!isObject(this) || !(#core in this)) return illegalInvocation();
        if (this.#core.stream === undefined) return rejectedWith(released());
        return this.#core.write(chunk);
      }
    }

    finishInterface(WritableStream);
    makeTransferable({
      name: 'WritableStream',
      has: (value) => coreIn(value) !== undefined,
      isDetached: (stream: WritableStream) => writableCoreOf(stream).locked,
      transfer: (stream: WritableStream) => use('stream_transfer').transferWritable(writableCoreOf(stream)),
    });
    finishInterface(WritableStreamDefaultWriter);

    /** The inside of `stream`; throws a TypeError where it is no WritableStream. */
    function writableCoreOf(stream: unknown): WritableCore {
      const core = coreIn(stream);
      if (core === undefined) throw new TypeError('This is not a WritableStream');
      return core;
    }

    /** The object that guests see of `core`, made at its first use. */
    function writableFacadeOf(core: WritableCore): WritableStream {
      return (core.facade ??= new WritableStream(internal, core)) as WritableStream;
    }

    function setUp(core: WritableCore, sink: unknown, strategyValue: unknown): void {
      if (sink !== undefined && !isObject(sink)) throw new TypeError('The underlying sink is not an object');
      const strategy = new Strategy(strategyValue);
      const members = toDictionary(sink, 'The underlying sink');
      // Web IDL reads a dictionary's members in the order of their names.
      const abort = toCallback(members.abort, 'The abort of an underlying sink');
      const close = toCallback(members.close, 'The close of an underlying sink');
      const start = toCallback(members.start, 'The start of an underlying sink');
      const { type } = members;
      const write = toCallback(members.write, 'The write of an underlying sink');
      if (type !== undefined) throw new RangeError('An underlying sink has no type');
      const size = strategy.sizeAlgorithm();
      const controller: WritableControllerCore = new WritableController(
        core,
        {
          start: start && (() => Reflect.apply(start, sink, [controller.facade])),
          write: write && ((chunk) => callForPromise(write, sink, [chunk, controller.facade])),
          close: close && (() => callForPromise(close, sink, [])),
          abort: abort && ((reason) => callForPromise(abort, sink, [reason])),
        },
        strategy.highWaterMark(1),
        size,
      );
      controller.start();
    }

    return { WritableStream, WritableStreamDefaultWriter, writableCoreOf, writableFacadeOf };
  },
);
interface Families {
  writable_stream: FamilyOf<typeof writableStreamFamily>;
}
