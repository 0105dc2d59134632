// ReadableStreamDefaultReader and ReadableStreamBYOBReader (Streams standard, sections 4.4 and 4.5), and
// the stream's asynchronous iterator.
// Runs in a guest's context, on whichever thread has its isolate entered.

interface ReadResult {
  value: unknown;
  done: boolean;
}

const readableReadersFamily = define(
  'readable_readers',
  {
    globals: { ReadableStreamDefaultReader: 'class', ReadableStreamBYOBReader: 'class' },
  },
  (use) => {
    const { finishInterface, requireArguments, setTag, toUnsignedLongLong } = use('webidl');
    const { Deferred, isObject, react, rejectedWith, resolvedWith, toDictionary, toView } =
      use('stream_support');
    const { DefaultReader, ByobReader } = use('readable_core');

    const illegalInvocation = (): Promise<never> => rejectedWith(new TypeError('Illegal invocation'));

    /** Settles a promise with the outcome of one read. */
    class PromisedRead implements ReadRequest, ReadIntoRequest {
      readonly #deferred = new Deferred<ReadResult>();

      get promise(): Promise<ReadResult> {
        return this.#deferred.promise;
      }

      chunk(value: unknown): void {
        this.#deferred.resolve({ value, done: false });
      }

      close(value?: unknown): void {
        this.#deferred.resolve({ value, done: true });
      }

      error(reason: unknown): void {
        this.#deferred.reject(reason);
      }
    }

    class ReadableStreamDefaultReader {
      #core: DefaultReaderCore;

      constructor(stream: object) {
        requireArguments(1, arguments.length, "Failed to construct 'ReadableStreamDefaultReader'");
        this.#core = new DefaultReader(use('readable_stream').coreOf(stream));
      }

      get closed(): Promise<void> {
        return isObject(this) && #core in this ? this.#core.closed.promise : illegalInvocation();
      }

      cancel(reason: unknown = undefined): Promise<void> {
        return isObject(this) && #core in this ? this.#core.cancel(reason) : illegalInvocation();
      }

      read(): Promise<ReadResult> {
        if (!isObject(this) || !(#core in this)) return illegalInvocation();
        const request = new PromisedRead();
        this.#core.read(request);
        return request.promise;
      }

      releaseLock(): void {
        this.#core.release();
      }
    }

    class ReadableStreamBYOBReader {
      #core: ByobReaderCore;

      constructor(stream: object) {
        requireArguments(1, arguments.length, "Failed to construct 'ReadableStreamBYOBReader'");
        this.#core = new ByobReader(use('readable_stream').coreOf(stream));
      }

      get closed(): Promise<void> {
        return isObject(this) && #core in this ? this.#core.closed.promise : illegalInvocation();
      }

      cancel(reason: unknown = undefined): Promise<void> {
        return isObject(this) && #core in this ? this.#core.cancel(reason) : illegalInvocation();
      }

      read(view: ArrayBufferView, options: unknown = undefined): Promise<ReadResult> {
        if (!isObject(this) || !(#core in this)) return illegalInvocation();
        const request = new PromisedRead();
        try {
          requireArguments(1, arguments.length, "Failed to execute 'read' on 'ReadableStreamBYOBReader'");
          const target = toView(view);
          const minimum = toMinimum(target, options);
          this.#core.read(target, minimum, request);
        } catch (error) {
          return rejectedWith(error);
        }
        return request.promise;
      }

      releaseLock(): void {
        this.#core.release();
      }
    }

    /** How many elements a read into `view` waits for; throws where the view cannot take them. */
    function toMinimum(view: ArrayBufferView<ArrayBuffer>, options: unknown): number {
      const { min } = toDictionary(options, 'The options of a read');
      const minimum = min === undefined ? 1 : toUnsignedLongLong(min, { enforceRange: true });
      if (view.buffer.detached) throw new TypeError('The view has been detached');
      if (view.byteLength === 0) throw new TypeError('The view is empty');
      if (view.buffer.byteLength === 0) throw new TypeError('The buffer of the view is empty');
      if (minimum === 0) throw new TypeError('min must be above 0');
      const length = view instanceof DataView ? view.byteLength : (view as Uint8Array).length;
      if (minimum > length) throw new RangeError('min is above the length of the view');
      return minimum;
    }

    /** Web IDL's asynchronous iterator object of ReadableStream. */
    class StreamIterator {
      readonly #reader: DefaultReaderCore;
      readonly #preventCancel: boolean;
      #ongoing: Promise<ReadResult> | undefined = undefined;
      #finished = false;

      constructor(reader: DefaultReaderCore, preventCancel: boolean) {
        this.#reader = reader;
        this.#preventCancel = preventCancel;
      }

      next(): Promise<ReadResult> {
        if (!isObject(this) || !(#ongoing in this)) return illegalInvocation();
        const steps = (): Promise<ReadResult> => this.#next();
        this.#ongoing = this.#ongoing === undefined ? steps() : react(this.#ongoing, steps, steps);
        return this.#ongoing;
      }

      return(value: unknown): Promise<ReadResult> {
        if (!isObject(this) || !(#ongoing in this)) return illegalInvocation();
        const steps = (): Promise<ReadResult> => this.#return(value);
        this.#ongoing = this.#ongoing === undefined ? steps() : react(this.#ongoing, steps, steps);
        return react(this.#ongoing, () => ({ value, done: true }));
      }

      #next(): Promise<ReadResult> {
        if (this.#finished) return resolvedWith<ReadResult>({ value: undefined, done: true });
        const read = new Deferred<ReadResult>();
        this.#reader.read({
          chunk: (value) => read.resolve({ value, done: false }),
          close: () => {
            this.#reader.release();
            read.resolve({ value: undefined, done: true });
          },
          error: (reason) => {
            this.#reader.release();
            read.reject(reason);
          },
        });
        return react(
          read.promise,
          (result) => {
            this.#ongoing = undefined;
            if (result.done) this.#finished = true;
            return result;
          },
          (reason) => {
            this.#ongoing = undefined;
            this.#finished = true;
            throw reason;
          },
        );
      }

      #return(value: unknown): Promise<ReadResult> {
        const result = { value, done: true };
        if (this.#finished) return resolvedWith(result);
        this.#finished = true;
        const cancelled = this.#preventCancel ? resolvedWith<void>(undefined) : this.#reader.cancel(value);
        this.#reader.release();
        return react(cancelled, () => result);
      }
    }

    finishInterface(ReadableStreamDefaultReader);
    finishInterface(ReadableStreamBYOBReader);
    const AsyncIteratorPrototype = Object.getPrototypeOf(
      Object.getPrototypeOf(async function* () {}.prototype),
    );
    Object.setPrototypeOf(StreamIterator.prototype, AsyncIteratorPrototype);
    Reflect.deleteProperty(StreamIterator.prototype, 'constructor');
    Object.defineProperty(StreamIterator.prototype, 'next', { enumerable: true });
    Object.defineProperty(StreamIterator.prototype, 'return', { enumerable: true });
    setTag(StreamIterator.prototype, 'ReadableStream AsyncIterator');

    return { ReadableStreamDefaultReader, ReadableStreamBYOBReader, StreamIterator };
  },
);
interface Families {
  readable_readers: FamilyOf<typeof readableReadersFamily>;
}
