// What a readable stream and its readers are inside (Streams standard, sections 4.9.1 to 4.9.3), without
// the objects that guests hold: those are made around these when guest code asks for them.
// Runs in a guest's context, on whichever thread has its isolate entered.

/** Who waits for a chunk. */
interface ReadRequest {
  chunk(value: unknown): void;
  close(): void;
  error(reason: unknown): void;
}

/** Who waits for a view of theirs to be filled. */
interface ReadIntoRequest {
  chunk(view: ArrayBufferView): void;
  close(view: ArrayBufferView | undefined): void;
  error(reason: unknown): void;
}

/** What a stream asks of its controller, of either kind. */
interface ReadableController {
  pullSteps(request: ReadRequest): void;
  cancelSteps(reason: unknown): Promise<void>;
  releaseSteps(): void;
}

type ReadableCore = InstanceType<Families['readable_core']['Readable']>;
type DefaultReaderCore = InstanceType<Families['readable_core']['DefaultReader']>;
type ByobReaderCore = InstanceType<Families['readable_core']['ByobReader']>;

const readableCoreFamily = define('readable_core', { globals: {} }, (use) => {
  const { Fifo, LazyPromise, react, rejectedWith, resolvedWith } = use('stream_support');

  class Readable {
    state: 'readable' | 'closed' | 'errored' = 'readable';
    storedError: unknown = undefined;
    disturbed = false;
    reader: DefaultReader | ByobReader | undefined = undefined;
    /** Set by the controller's constructor, before anything else can see the stream. */
    controller!: ReadableController;
    /** The ReadableStream that guests see of this, once there is one. */
    facade: object | undefined = undefined;
    /** Where its bytes come from, if from the host. */
    hostSource: HostSourceCore | undefined = undefined;

    get locked(): boolean {
      return this.reader !== undefined;
    }

    /** The reader with read requests, if it is of that kind. */
    get defaultReader(): DefaultReader | undefined {
      return this.reader instanceof DefaultReader ? this.reader : undefined;
    }

    get byobReader(): ByobReader | undefined {
      return this.reader instanceof ByobReader ? this.reader : undefined;
    }

    get waitingReads(): number {
      return this.defaultReader?.requests.length ?? 0;
    }

    get waitingReadIntos(): number {
      return this.byobReader?.requests.length ?? 0;
    }

    close(): void {
      this.state = 'closed';
      const { reader } = this;
      if (reader === undefined) return;
      reader.closed.resolve();
      if (reader instanceof DefaultReader) {
        const requests = reader.requests.takeAll();
        for (let i = 0; i < requests.length; i++) requests[i]!.close();
      }
    }

    error(reason: unknown): void {
      this.state = 'errored';
      this.storedError = reason;
      const { reader } = this;
      if (reader === undefined) return;
      reader.closed.reject(reason);
      reader.failRequests(reason);
    }

    cancel(reason: unknown): Promise<void> {
      this.disturbed = true;
      if (this.state === 'closed') return resolvedWith(undefined);
      if (this.state === 'errored') return rejectedWith(this.storedError);
      this.close();
      const requests = this.byobReader?.requests.takeAll();
      if (requests !== undefined) {
        for (let i = 0; i < requests.length; i++) requests[i]!.close(undefined);
      }
      return react(this.controller.cancelSteps(reason), () => undefined);
    }
  }

  /** What the two kinds of readers share. */
  abstract class Reader {
    stream: Readable | undefined;
    closed: InstanceType<typeof LazyPromise>;

    constructor(stream: Readable) {
      if (stream.locked) throw new TypeError('This stream is locked to another reader');
      this.stream = stream;
      if (stream.state === 'readable') this.closed = new LazyPromise();
      else if (stream.state === 'closed') this.closed = LazyPromise.resolved();
      else this.closed = LazyPromise.rejected(stream.storedError);
    }

    abstract failRequests(reason: unknown): void;

    cancel(reason: unknown): Promise<void> {
      if (this.stream === undefined) return rejectedWith(new TypeError('This reader has been released'));
      return this.stream.cancel(reason);
    }

    release(): void {
      const { stream } = this;
      if (stream === undefined) return;
      const reason = new TypeError('The reader was released');
      if (stream.state === 'readable') this.closed.reject(reason);
      else this.closed = LazyPromise.rejected(reason);
      stream.controller.releaseSteps();
      stream.reader = undefined;
      this.stream = undefined;
      this.failRequests(new TypeError('The reader was released before this read was done'));
    }
  }

  class DefaultReader extends Reader {
    readonly requests = new Fifo<ReadRequest>();

    constructor(stream: Readable) {
      super(stream);
      stream.reader = this;
    }

    read(request: ReadRequest): void {
      const { stream } = this;
      if (stream === undefined) return request.error(new TypeError('This reader has been released'));
      stream.disturbed = true;
      if (stream.state === 'closed') request.close();
      else if (stream.state === 'errored') request.error(stream.storedError);
      else stream.controller.pullSteps(request);
    }

    failRequests(reason: unknown): void {
      const requests = this.requests.takeAll();
      for (let i = 0; i < requests.length; i++) requests[i]!.error(reason);
    }
  }

  class ByobReader extends Reader {
    readonly requests = new Fifo<ReadIntoRequest>();

    constructor(stream: Readable) {
      super(stream);
      if (!(stream.controller instanceof use('readable_byte_controller').ByteController)) {
        throw new TypeError('A BYOB reader needs a stream of bytes');
      }
      stream.reader = this;
    }

    read(view: ArrayBufferView, minimum: number, request: ReadIntoRequest): void {
      const { stream } = this;
      if (stream === undefined) return request.error(new TypeError('This reader has been released'));
      stream.disturbed = true;
      if (stream.state === 'errored') return request.error(stream.storedError);
      (stream.controller as ByteControllerCore).pullInto(view, minimum, request);
    }

    failRequests(reason: unknown): void {
      const requests = this.requests.takeAll();
      for (let i = 0; i < requests.length; i++) requests[i]!.error(reason);
    }
  }

  return { Readable, DefaultReader, ByobReader };
});
interface Families {
  readable_core: FamilyOf<typeof readableCoreFamily>;
}
