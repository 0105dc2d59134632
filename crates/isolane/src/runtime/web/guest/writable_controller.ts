// The controller of a writable stream (Streams standard, sections 5.4 and 5.5.4): its inside and its public
// class.
// Runs in a guest's context, on whichever thread has its isolate entered.

/** What the stream's maker does with chunks. */
interface WritableSink {
  readonly start: (() => unknown) | undefined;
  readonly write: ((chunk: unknown) => Promise<unknown>) | undefined;
  readonly close: (() => Promise<unknown>) | undefined;
  readonly abort: ((reason: unknown) => Promise<unknown>) | undefined;
}

type WritableControllerCore = InstanceType<Families['writable_controller']['WritableController']>;

const writableControllerFamily = define(
  'writable_controller',
  {
    globals: { WritableStreamDefaultController: 'class' },
  },
  (use) => {
    const { finishInterface, illegalConstructor, internal } = use('webidl');
    const { SizedQueue, resolvedWith, upon } = use('stream_support');
    const { Writable } = use('writable_core');

    const noSink: WritableSink = { start: undefined, write: undefined, close: undefined, abort: undefined };
    /** What stands in the queue for the end of the stream. */
    const closeMarker = Symbol('close');

    class WritableController {
      readonly stream: WritableCore;
      readonly #queue = new SizedQueue<unknown>();
      readonly #highWaterMark: number;
      #size: SizeAlgorithm | undefined;
      #sink: WritableSink;
      #aborted: { readonly reason: unknown } | undefined = undefined;
      #signal: AbortSignalObject | undefined = undefined;
      #facade: WritableStreamDefaultController | undefined = undefined;
      started = false;

      constructor(stream: WritableCore, sink: WritableSink, highWaterMark: number, size?: SizeAlgorithm) {
        this.stream = stream;
        this.#sink = sink;
        this.#highWaterMark = highWaterMark;
        this.#size = size;
        stream.controller = this;
      }

      get facade(): WritableStreamDefaultController {
        return (this.#facade ??= new WritableStreamDefaultController(internal, this));
      }

      get desiredSize(): number {
        return this.#highWaterMark - this.#queue.totalSize;
      }

      /** The signal that is aborted with the stream, made when it is asked for. */
      get signal(): AbortSignalObject {
        if (this.#signal === undefined) {
          const { createSignal, signalAbort } = use('abort');
          this.#signal = createSignal();
          if (this.#aborted !== undefined) signalAbort(this.#signal, this.#aborted.reason);
        }
        return this.#signal;
      }

      signalAbort(reason: unknown): void {
        if (this.#aborted !== undefined) return;
        this.#aborted = { reason };
        if (this.#signal !== undefined) use('abort').signalAbort(this.#signal, reason);
      }

      /** Starts the sink; its exception is the caller's. */
      start(): void {
        this.stream.updateBackpressure(this.desiredSize <= 0);
        const { start } = this.#sink;
        const result = start === undefined ? undefined : start();
        upon(
          resolvedWith(result),
          () => {
            this.started = true;
            this.#advance();
          },
          (reason) => {
            this.started = true;
            this.stream.dealWithRejection(reason);
          },
        );
      }

      chunkSize(chunk: unknown): number {
        if (this.#size === undefined) return 1;
        try {
          return this.#size(chunk);
        } catch (error) {
          this.errorIfNeeded(error);
          return 1;
        }
      }

      write(chunk: unknown, size: number): void {
        try {
          this.#queue.enqueue(chunk, size);
        } catch (error) {
          this.errorIfNeeded(error);
          return;
        }
        const { stream } = this;
        if (!stream.closeQueuedOrInFlight && stream.state === 'writable') {
          stream.updateBackpressure(this.desiredSize <= 0);
        }
        this.#advance();
      }

      close(): void {
        this.#queue.enqueue(closeMarker, 0);
        this.#advance();
      }

      errorIfNeeded(reason: unknown): void {
        if (this.stream.state === 'writable') this.error(reason);
      }

      error(reason: unknown): void {
        this.#forgetSink();
        this.stream.startErroring(reason);
      }

      abortSteps(reason: unknown): Promise<unknown> {
        const { abort } = this.#sink;
        const result = abort === undefined ? resolvedWith<unknown>(undefined) : abort(reason);
        this.#forgetSink();
        return result;
      }

      errorSteps(): void {
        this.#queue.reset();
      }

      #advance(): void {
        const { stream } = this;
        if (!this.started || stream.hasWriteInFlight) return;
        if (stream.state === 'erroring') return stream.finishErroring();
        if (this.#queue.length === 0) return;
        const chunk = this.#queue.peek();
        if (chunk === closeMarker) this.#processClose();
        else this.#processWrite(chunk);
      }

      #processClose(): void {
        const { stream } = this;
        stream.markCloseInFlight();
        this.#queue.dequeue();
        const { close } = this.#sink;
        const done = close === undefined ? resolvedWith<unknown>(undefined) : close();
        this.#forgetSink();
        upon(
          done,
          () => stream.finishClose(),
          (reason) => stream.finishCloseWithError(reason),
        );
      }

      #processWrite(chunk: unknown): void {
        const { stream } = this;
        stream.markWriteInFlight();
        const { write } = this.#sink;
        upon(
          write === undefined ? resolvedWith<unknown>(undefined) : write(chunk),
          () => {
            stream.finishWrite();
            const { state } = stream;
            this.#queue.dequeue();
            if (!stream.closeQueuedOrInFlight && state === 'writable') {
              stream.updateBackpressure(this.desiredSize <= 0);
            }
            this.#advance();
          },
          (reason) => {
            if (stream.state === 'writable') this.#forgetSink();
            stream.finishWriteWithError(reason);
          },
        );
      }

      #forgetSink(): void {
        // A closed stream must not keep what its maker's functions hold alive.
        this.#sink = noSink;
        this.#size = undefined;
      }
    }

    class WritableStreamDefaultController {
      #core: WritableController;

      constructor(...[token, core]: [token: symbol, core: WritableController]) {
        illegalConstructor(token);
        this.#core = core;
      }

      get signal(): AbortSignalObject {
        return this.#core.signal;
      }

      error(reason: unknown = undefined): void {
        this.#core.errorIfNeeded(reason);
      }
    }
    finishInterface(WritableStreamDefaultController);

    /** Makes a stream over a sink of the runtime's own and starts it. */
    function createWritable(sink: WritableSink, highWaterMark = 1, size?: SizeAlgorithm): WritableCore {
      const stream = new Writable();
      new WritableController(stream, sink, highWaterMark, size).start();
      return stream;
    }

    return { WritableStreamDefaultController, WritableController, createWritable };
  },
);
interface Families {
  writable_controller: FamilyOf<typeof writableControllerFamily>;
}
