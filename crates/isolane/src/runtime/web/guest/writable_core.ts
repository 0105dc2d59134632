// What a writable stream and its writer are inside (Streams standard, sections 5.5.1 to 5.5.3), without the
// objects that guests hold.
// Runs in a guest's context, on whichever thread has its isolate entered.

type WritableCore = InstanceType<Families['writable_core']['Writable']>;
type WriterCore = InstanceType<Families['writable_core']['Writer']>;

const writableCoreFamily = define('writable_core', { globals: {} }, (use) => {
  const { Deferred, Fifo, LazyPromise, rejectedWith, resolvedWith, upon } = use('stream_support');

  type Settlement = InstanceType<typeof Deferred<void>>;
  type Lazy = InstanceType<typeof LazyPromise>;

  interface PendingAbort {
    readonly done: Settlement;
    readonly reason: unknown;
    readonly wasAlreadyErroring: boolean;
  }

  class Writable {
    state: 'writable' | 'closed' | 'erroring' | 'errored' = 'writable';
    storedError: unknown = undefined;
    backpressure = false;
    writer: Writer | undefined = undefined;
    /** Set by the controller's constructor, before anything else can see the stream. */
    controller!: WritableControllerCore;
    /** The WritableStream that guests see of this, once there is one. */
    facade: object | undefined = undefined;
    readonly #writes = new Fifo<Settlement>();
    #inFlightWrite: Settlement | undefined = undefined;
    #close: Settlement | undefined = undefined;
    #inFlightClose: Settlement | undefined = undefined;
    #pendingAbort: PendingAbort | undefined = undefined;

    get locked(): boolean {
      return this.writer !== undefined;
    }

    get closeQueuedOrInFlight(): boolean {
      return this.#close !== undefined || this.#inFlightClose !== undefined;
    }

    get hasOperationInFlight(): boolean {
      return this.#inFlightWrite !== undefined || this.#inFlightClose !== undefined;
    }

    get hasWriteInFlight(): boolean {
      return this.#inFlightWrite !== undefined;
    }

    abort(reason: unknown): Promise<void> {
      if (this.state === 'closed' || this.state === 'errored') return resolvedWith<void>(undefined);
      this.controller.signalAbort(reason);
      // The listeners of the signal are guest code, which may have changed the state.
      const state = this.state as string;
      if (state === 'closed' || state === 'errored') return resolvedWith<void>(undefined);
      if (this.#pendingAbort !== undefined) return this.#pendingAbort.done.promise;
      const wasAlreadyErroring = state === 'erroring';
      const done = new Deferred<void>();
      this.#pendingAbort = { done, reason: wasAlreadyErroring ? undefined : reason, wasAlreadyErroring };
      if (!wasAlreadyErroring) this.startErroring(reason);
      return done.promise;
    }

    close(): Promise<void> {
      if (this.state === 'closed' || this.state === 'errored') {
        return rejectedWith(new TypeError('The stream is closed or errored and cannot be closed'));
      }
      const close = new Deferred<void>();
      this.#close = close;
      if (this.writer !== undefined && this.backpressure && this.state === 'writable') {
        this.writer.ready.resolve();
      }
      this.controller.close();
      return close.promise;
    }

    addWrite(): Promise<void> {
      const write = new Deferred<void>();
      this.#writes.push(write);
      return write.promise;
    }

    dealWithRejection(reason: unknown): void {
      if (this.state === 'writable') this.startErroring(reason);
      else this.finishErroring();
    }

    startErroring(reason: unknown): void {
      this.state = 'erroring';
      this.storedError = reason;
      this.writer?.rejectReady(reason);
      if (!this.hasOperationInFlight && this.controller.started) this.finishErroring();
    }

    finishErroring(): void {
      this.state = 'errored';
      this.controller.errorSteps();
      const writes = this.#writes.takeAll();
      for (let i = 0; i < writes.length; i++) writes[i]!.reject(this.storedError);
      const abort = this.#pendingAbort;
      if (abort === undefined) return this.#rejectCloseAndClosed();
      this.#pendingAbort = undefined;
      if (abort.wasAlreadyErroring) {
        abort.done.reject(this.storedError);
        this.#rejectCloseAndClosed();
        return;
      }
      upon(
        this.controller.abortSteps(abort.reason),
        () => {
          abort.done.resolve();
          this.#rejectCloseAndClosed();
        },
        (reason) => {
          abort.done.reject(reason);
          this.#rejectCloseAndClosed();
        },
      );
    }

    #rejectCloseAndClosed(): void {
      if (this.#close !== undefined) {
        this.#close.reject(this.storedError);
        this.#close = undefined;
      }
      this.writer?.closed.reject(this.storedError);
    }

    markWriteInFlight(): void {
      this.#inFlightWrite = this.#writes.shift();
    }

    finishWrite(): void {
      this.#inFlightWrite!.resolve();
      this.#inFlightWrite = undefined;
    }

    finishWriteWithError(reason: unknown): void {
      this.#inFlightWrite!.reject(reason);
      this.#inFlightWrite = undefined;
      this.dealWithRejection(reason);
    }

    markCloseInFlight(): void {
      this.#inFlightClose = this.#close;
      this.#close = undefined;
    }

    finishClose(): void {
      this.#inFlightClose!.resolve();
      this.#inFlightClose = undefined;
      if (this.state === 'erroring') {
        // The close came first after all.
        this.storedError = undefined;
        this.#pendingAbort?.done.resolve();
        this.#pendingAbort = undefined;
      }
      this.state = 'closed';
      this.writer?.closed.resolve();
    }

    finishCloseWithError(reason: unknown): void {
      this.#inFlightClose!.reject(reason);
      this.#inFlightClose = undefined;
      this.#pendingAbort?.done.reject(reason);
      this.#pendingAbort = undefined;
      this.dealWithRejection(reason);
    }

    updateBackpressure(backpressure: boolean): void {
      const { writer } = this;
      if (writer !== undefined && backpressure !== this.backpressure) {
        if (backpressure) writer.ready = new LazyPromise();
        else writer.ready.resolve();
      }
      this.backpressure = backpressure;
    }
  }

  class Writer {
    stream: Writable | undefined;
    ready: Lazy;
    closed: Lazy;

    constructor(stream: Writable) {
      if (stream.locked) throw new TypeError('This stream is locked to another writer');
      this.stream = stream;
      stream.writer = this;
      const { state, storedError } = stream;
      if (state === 'writable') {
        const wait = !stream.closeQueuedOrInFlight && stream.backpressure;
        this.ready = wait ? new LazyPromise() : LazyPromise.resolved();
        this.closed = new LazyPromise();
      } else if (state === 'erroring') {
        this.ready = LazyPromise.rejected(storedError);
        this.closed = new LazyPromise();
      } else if (state === 'closed') {
        this.ready = LazyPromise.resolved();
        this.closed = LazyPromise.resolved();
      } else {
        this.ready = LazyPromise.rejected(storedError);
        this.closed = LazyPromise.rejected(storedError);
      }
    }

    get desiredSize(): number | null {
      const stream = this.stream!;
      if (stream.state === 'errored' || stream.state === 'erroring') return null;
      if (stream.state === 'closed') return 0;
      return stream.controller.desiredSize;
    }

    rejectReady(reason: unknown): void {
      if (this.ready.isPending) this.ready.reject(reason);
      else this.ready = LazyPromise.rejected(reason);
    }

    write(chunk: unknown): Promise<void> {
      const stream = this.stream!;
      const { controller } = stream;
      const size = controller.chunkSize(chunk);
      // The strategy is guest code, which may have released this writer or changed the state.
      if (this.stream !== stream) return rejectedWith(new TypeError('This writer has been released'));
      const { state } = stream;
      if (state === 'errored') return rejectedWith(stream.storedError);
      if (stream.closeQueuedOrInFlight || state === 'closed') {
        return rejectedWith(new TypeError('The stream is closing or closed and cannot be written to'));
      }
      if (state === 'erroring') return rejectedWith(stream.storedError);
      const written = stream.addWrite();
      controller.write(chunk, size);
      return written;
    }

    closeWithErrorPropagation(): Promise<void> {
      const stream = this.stream!;
      if (stream.closeQueuedOrInFlight || stream.state === 'closed') return resolvedWith<void>(undefined);
      if (stream.state === 'errored') return rejectedWith(stream.storedError);
      return stream.close();
    }

    release(): void {
      const { stream } = this;
      if (stream === undefined) return;
      const reason = new TypeError('The writer was released');
      this.rejectReady(reason);
      if (this.closed.isPending) this.closed.reject(reason);
      else this.closed = LazyPromise.rejected(reason);
      stream.writer = undefined;
      this.stream = undefined;
    }
  }

  return { Writable, Writer };
});
interface Families {
  writable_core: FamilyOf<typeof writableCoreFamily>;
}
