// The class ReadableStream (Streams standard, section 4.2), and the way from it to what is inside.
// Runs in a guest's context, on whichever thread has its isolate entered.

type ReadableFacade = InstanceType<Families['readable_stream']['ReadableStream']>;

const readableStreamFamily = define('readable_stream', { globals: { ReadableStream: 'class' } }, (use) => {
  const { finishInterface, internal, makeTransferable, requireArguments, toDOMString, toUnsignedLongLong } =
    use('webidl');
  const { callForPromise, isObject, markHandled, rejectedWith, toCallback, toDictionary } =
    use('stream_support');
  const { Strategy } = use('queuing');
  const { Readable, DefaultReader } = use('readable_core');
  const { DefaultController } = use('readable_default_controller');

  /** The inside of `stream`, or undefined where it is no ReadableStream. */
  let coreIn!: (stream: unknown) => ReadableCore | undefined;

  class ReadableStream {
    #core: ReadableCore;

    constructor(source: unknown = undefined, strategy: unknown = undefined) {
      if (source === internal) {
        this.#core = strategy as ReadableCore;
      } else {
        this.#core = new Readable();
        setUp(this.#core, source, strategy);
      }
    }

    static from(asyncIterable: unknown): ReadableStream {
      requireArguments(1, arguments.length, "Failed to execute 'from' on 'ReadableStream'");
      return facadeOf(use('readable_from').streamFromIterable(asyncIterable));
    }

    get locked(): boolean {
      return this.#core.locked;
    }

    cancel(reason: unknown = undefined): Promise<void> {
      if (!isObject(this) || !(#core in this)) return illegalInvocation();
      if (this.#core.locked) return rejectedWith(new TypeError('A locked stream cannot be cancelled'));
      return this.#core.cancel(reason);
    }

    getReader(options: unknown = undefined): object {
      void this.#core;
      const { mode } = toDictionary(options, 'The options of getReader');
      const { ReadableStreamBYOBReader, ReadableStreamDefaultReader } = use('readable_readers');
      if (mode === undefined) return new ReadableStreamDefaultReader(this);
      if (toDOMString(mode) !== 'byob') throw new TypeError("The mode of a reader can only be 'byob'");
      return new ReadableStreamBYOBReader(this);
    }

    pipeThrough(transform: unknown, options: unknown = undefined): object {
      const source = this.#core;
      requireArguments(1, arguments.length, "Failed to execute 'pipeThrough' on 'ReadableStream'");
      const pair = toDictionary(transform, 'The transform');
      const { readable } = pair;
      coreOf(readable);
      const destination = use('writable_stream').writableCoreOf(pair.writable);
      const pipe = use('readable_pipe');
      const settings = pipe.toPipeOptions(options);
      if (source.locked) throw new TypeError('A locked stream cannot be piped');
      if (destination.locked) throw new TypeError('The writable side of the transform is locked');
      markHandled(pipe.pipe(source, destination, settings));
      return readable as object;
    }

    pipeTo(destination: unknown, options: unknown = undefined): Promise<void> {
      if (!isObject(this) || !(#core in this)) return illegalInvocation();
      try {
        requireArguments(1, arguments.length, "Failed to execute 'pipeTo' on 'ReadableStream'");
        const target = use('writable_stream').writableCoreOf(destination);
        const { pipe, toPipeOptions } = use('readable_pipe');
        const settings = toPipeOptions(options);
        if (this.#core.locked) throw new TypeError('A locked stream cannot be piped');
        if (target.locked) throw new TypeError('The destination is locked');
        return pipe(this.#core, target, settings);
      } catch (error) {
        return rejectedWith(error);
      }
    }

    tee(): [ReadableStream, ReadableStream] {
      const [first, second] = use('readable_tee').tee(this.#core, false);
      return [facadeOf(first), facadeOf(second)];
    }

    values(options: unknown = undefined): object {
      const core = this.#core;
      const { preventCancel } = toDictionary(options, 'The options of values');
      return new (use('readable_readers').StreamIterator)(new DefaultReader(core), Boolean(preventCancel));
    }

    static {
      coreIn = (stream) => (isObject(stream) && #core in stream ? stream.#core : undefined);
    }
  }

  finishInterface(ReadableStream);
  makeTransferable({
    name: 'ReadableStream',
    has: (value) => coreIn(value) !== undefined,
    isDetached: (stream: ReadableStream) => coreOf(stream).locked,
    transfer: (stream: ReadableStream) => use('stream_transfer').transferReadable(coreOf(stream)),
  });
  Object.defineProperty(ReadableStream.prototype, Symbol.asyncIterator, {
    value: ReadableStream.prototype.values,
    writable: true,
    configurable: true,
  });

  function illegalInvocation(): Promise<never> {
    return rejectedWith(new TypeError('Illegal invocation'));
  }

  /** The inside of `stream`; throws a TypeError where it is no ReadableStream. */
  function coreOf(stream: unknown): ReadableCore {
    const core = coreIn(stream);
    if (core === undefined) throw new TypeError('This is not a ReadableStream');
    return core;
  }

  /** The object that guests see of `core`, made at its first use. */
  function facadeOf(core: ReadableCore): ReadableStream {
    return (core.facade ??= new ReadableStream(internal, core)) as ReadableStream;
  }

  function setUp(core: ReadableCore, source: unknown, strategyValue: unknown): void {
    if (source !== undefined && !isObject(source)) {
      throw new TypeError('The underlying source is not an object');
    }
    const strategy = new Strategy(strategyValue);
    const members = toDictionary(source, 'The underlying source');
    // Web IDL reads a dictionary's members in the order of their names.
    const { autoAllocateChunkSize } = members;
    const chunkSize =
      autoAllocateChunkSize === undefined
        ? undefined
        : toUnsignedLongLong(autoAllocateChunkSize, { enforceRange: true });
    const cancel = toCallback(members.cancel, 'The cancel of an underlying source');
    const pull = toCallback(members.pull, 'The pull of an underlying source');
    const start = toCallback(members.start, 'The start of an underlying source');
    const { type } = members;
    let controller: DefaultControllerCore | ByteControllerCore;
    const algorithms: ReadableSource = {
      start: start && (() => Reflect.apply(start, source, [controller.facade])),
      pull: pull && (() => callForPromise(pull, source, [controller.facade])),
      cancel: cancel && ((reason) => callForPromise(cancel, source, [reason])),
    };
    if (type === undefined) {
      const size = strategy.sizeAlgorithm();
      controller = new DefaultController(core, algorithms, strategy.highWaterMark(1), size);
    } else {
      if (toDOMString(type) !== 'bytes') {
        throw new TypeError("The type of an underlying source can only be 'bytes'");
      }
      if (strategy.hasSize) throw new RangeError('A stream of bytes takes no size in its strategy');
      const highWaterMark = strategy.highWaterMark(0);
      if (chunkSize === 0) throw new TypeError('autoAllocateChunkSize must be above 0');
      const { ByteController } = use('readable_byte_controller');
      controller = new ByteController(core, algorithms, highWaterMark, chunkSize);
    }
    controller.start();
  }

  return { ReadableStream, coreIn, coreOf, facadeOf };
});
interface Families {
  readable_stream: FamilyOf<typeof readableStreamFamily>;
}
