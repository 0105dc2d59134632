// Piping a readable stream into a writable one (Streams standard, ReadableStreamPipeTo).
// Runs in a guest's context, on whichever thread has its isolate entered.

interface PipeOptions {
  readonly preventAbort: boolean;
  readonly preventCancel: boolean;
  readonly preventClose: boolean;
  readonly signal: AbortSignalObject | undefined;
}

type AbortSignalObject = InstanceType<Families['abort']['AbortSignal']>;

const readablePipeFamily = define('readable_pipe', { globals: {} }, (use) => {
  const { Deferred, inMicrotask, react, resolvedWith, toDictionary, upon } = use('stream_support');
  const { DefaultReader } = use('readable_core');
  const { Writer } = use('writable_core');

  /** Web IDL's conversion to the dictionary `StreamPipeOptions`. */
  function toPipeOptions(value: unknown): PipeOptions {
    const members = toDictionary(value, 'The options of a pipe');
    const preventAbort = Boolean(members.preventAbort);
    const preventCancel = Boolean(members.preventCancel);
    const preventClose = Boolean(members.preventClose);
    const { signal } = members;
    if (signal !== undefined && !use('abort').isAbortSignal(signal)) {
      throw new TypeError('The signal of a pipe is not an AbortSignal');
    }
    return { preventAbort, preventCancel, preventClose, signal };
  }

  /** Why a pipe failed; an object, because any value can be a reason. */
  interface Failure {
    readonly reason: unknown;
  }

  class Pipe {
    readonly #source: ReadableCore;
    readonly #target: WritableCore;
    readonly #options: PipeOptions;
    readonly #reader: DefaultReaderCore;
    readonly #writer: WriterCore;
    readonly #finished = new Deferred<void>();
    #shuttingDown = false;
    #lastWrite: Promise<void> = resolvedWith<void>(undefined);
    #onAbort: (() => void) | undefined = undefined;

    constructor(source: ReadableCore, target: WritableCore, options: PipeOptions) {
      this.#source = source;
      this.#target = target;
      this.#options = options;
      this.#reader = new DefaultReader(source);
      this.#writer = new Writer(target);
      source.disturbed = true;
    }

    run(): Promise<void> {
      const { signal } = this.#options;
      if (signal !== undefined) {
        if (signal.aborted) {
          this.#abort(signal.reason);
          return this.#finished.promise;
        }
        this.#onAbort = () => this.#abort(signal.reason);
        use('abort').addAbortAlgorithm(signal, this.#onAbort);
      }
      this.#watch();
      this.#step();
      return this.#finished.promise;
    }

    /** Propagates the end of either side to the other. */
    #watch(): void {
      const source = this.#source;
      const target = this.#target;
      const { preventAbort, preventCancel, preventClose } = this.#options;
      const sourceErrored = (reason: unknown): void => {
        this.#shutDown(preventAbort ? undefined : () => target.abort(reason), { reason });
      };
      const targetErrored = (reason: unknown): void => {
        this.#shutDown(preventCancel ? undefined : () => source.cancel(reason), { reason });
      };
      const sourceClosed = (): void => {
        this.#shutDown(preventClose ? undefined : () => this.#writer.closeWithErrorPropagation());
      };
      if (source.state === 'errored') sourceErrored(source.storedError);
      else if (source.state === 'readable') upon(this.#reader.closed.promise, undefined, sourceErrored);
      if (target.state === 'errored') targetErrored(target.storedError);
      else upon(this.#writer.closed.promise, undefined, targetErrored);
      if (source.state === 'closed') sourceClosed();
      else upon(this.#reader.closed.promise, sourceClosed);
      if (target.closeQueuedOrInFlight || target.state === 'closed') {
        const reason = new TypeError('The destination of the pipe is closed');
        this.#shutDown(preventCancel ? undefined : () => source.cancel(reason), { reason });
      }
    }

    /** Moves chunks while the destination has room, one read at a time. */
    readonly #step = (): void => {
      if (this.#shuttingDown) return;
      const { ready } = this.#writer;
      if (ready.isPending) upon(ready.promise, this.#step);
      else if (this.#target.state === 'writable') this.#reader.read(this.#request);
    };

    readonly #request: ReadRequest = {
      chunk: (chunk) => {
        // The destination's code must not run within the source's call of enqueue.
        const written = new Deferred<void>();
        this.#lastWrite = written.promise;
        inMicrotask(() => {
          upon(
            this.#writer.write(chunk),
            () => written.resolve(),
            () => written.resolve(),
          );
          this.#step();
        });
      },
      // What happens then is in #watch.
      close: () => undefined,
      error: () => undefined,
    };

    #abort(reason: unknown): void {
      const { preventAbort, preventCancel } = this.#options;
      this.#shutDown(
        () => {
          const nothing = resolvedWith<void>(undefined);
          const aborted =
            !preventAbort && this.#target.state === 'writable' ? this.#target.abort(reason) : nothing;
          const cancelled =
            !preventCancel && this.#source.state === 'readable' ? this.#source.cancel(reason) : nothing;
          return bothDone(aborted, cancelled);
        },
        { reason },
      );
    }

    #shutDown(action: (() => Promise<unknown>) | undefined, failure?: Failure): void {
      if (this.#shuttingDown) return;
      this.#shuttingDown = true;
      const act = (): void => {
        if (action === undefined) return this.#finish(failure);
        upon(
          action(),
          () => this.#finish(failure),
          (reason) => this.#finish({ reason }),
        );
      };
      if (this.#target.state === 'writable' && !this.#target.closeQueuedOrInFlight) {
        upon(this.#allWritten(), act);
      } else act();
    }

    #allWritten(): Promise<void> {
      const last = this.#lastWrite;
      return react(last, () => (last === this.#lastWrite ? undefined : this.#allWritten()));
    }

    #finish(failure: Failure | undefined): void {
      this.#writer.release();
      this.#reader.release();
      if (this.#onAbort !== undefined) {
        use('abort').removeAbortAlgorithm(this.#options.signal!, this.#onAbort);
      }
      if (failure === undefined) this.#finished.resolve();
      else this.#finished.reject(failure.reason);
    }
  }

  function bothDone(first: Promise<void>, second: Promise<void>): Promise<void> {
    const done = new Deferred<void>();
    let waiting = 2;
    const settle = (): void => {
      waiting -= 1;
      if (waiting === 0) done.resolve();
    };
    upon(first, settle, done.reject);
    upon(second, settle, done.reject);
    return done.promise;
  }

  function pipe(source: ReadableCore, target: WritableCore, options: PipeOptions): Promise<void> {
    return new Pipe(source, target, options).run();
  }

  return { pipe, toPipeOptions };
});
interface Families {
  readable_pipe: FamilyOf<typeof readablePipeFamily>;
}
