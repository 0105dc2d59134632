// TransformStream and its controller (Streams standard, section 6).
// Runs in a guest's context, on whichever thread has its isolate entered.

/** What a transformer does; `transform` and `flush` give chunks to the controller. */
interface TransformAlgorithms {
  readonly transform: (chunk: unknown) => Promise<unknown>;
  readonly flush: () => Promise<unknown>;
  readonly cancel: (reason: unknown) => Promise<unknown>;
}

/** The two ends of a transform stream that the runtime made. */
interface TransformSides {
  readonly readable: ReadableFacade;
  readonly writable: InstanceType<Families['writable_stream']['WritableStream']>;
}

/** What a transformer of the runtime's own does; what it throws errors the stream. */
interface NativeTransformer {
  transform(chunk: unknown): unknown;
  flush?(): unknown;
  cancel?(reason: unknown): unknown;
}

/** The readable side of a transform stream, as its transformer sees it. */
interface TransformOutput {
  enqueue(chunk: unknown): void;
  /** How many chunks wait to be read. */
  readonly waiting: number;
  /** Resolves once a reader has read all that waited and wants more, or the stream has ended. */
  wanted(): Promise<void>;
}

const transformStreamFamily = define(
  'transform_stream',
  {
    globals: { TransformStream: 'class', TransformStreamDefaultController: 'class' },
  },
  (use) => {
    const { finishInterface, illegalConstructor, internal, makeTransferable } = use('webidl');
    const {
      Deferred,
      callForPromise,
      isObject,
      react,
      rejectedWith,
      resolvedWith,
      toCallback,
      toDictionary,
      upon,
    } = use('stream_support');
    const { Strategy } = use('queuing');
    const { createReadable } = use('readable_default_controller');
    const { createWritable } = use('writable_controller');
    const { facadeOf } = use('readable_stream');
    const { writableFacadeOf } = use('writable_stream');

    type Settlement = InstanceType<typeof Deferred<void>>;

    interface Sides {
      readonly started: Promise<unknown>;
      readonly writableMark: number;
      readonly writableSize: SizeAlgorithm | undefined;
      readonly readableMark: number;
      readonly readableSize: SizeAlgorithm | undefined;
    }

    /** The insides of the two ends. */
    interface Cores {
      readonly readable: ReadableCore;
      readonly writable: WritableCore;
    }

    const nothing = (): Promise<unknown> => resolvedWith<unknown>(undefined);

    const noAlgorithms: TransformAlgorithms = { transform: nothing, flush: nothing, cancel: nothing };

    /** The inside of a transform stream and of its controller. */
    class Transform {
      readonly readable: ReadableCore;
      readonly writable: WritableCore;
      readonly facade: TransformStreamDefaultController;
      algorithms: TransformAlgorithms = noAlgorithms;
      #backpressure = true;
      #backpressureChange: Settlement = new Deferred<void>();
      /** How the flush or cancel ended that one side began, for the other side. */
      #finish: Settlement | undefined = undefined;

      constructor(sides: Sides) {
        this.facade = new TransformStreamDefaultController(internal, this);
        const start = (): Promise<unknown> => sides.started;
        this.writable = createWritable(
          {
            start,
            write: (chunk) => this.#write(chunk),
            close: () => this.#close(),
            abort: (reason) => this.#abort(reason),
          },
          sides.writableMark,
          sides.writableSize,
        );
        this.readable = createReadable(
          {
            start,
            pull: () => this.#pull(),
            cancel: (reason) => this.#cancel(reason),
          },
          sides.readableMark,
          sides.readableSize,
        );
      }

      get readableController(): DefaultControllerCore {
        return this.readable.controller as DefaultControllerCore;
      }

      get waiting(): number {
        return -(this.readableController.desiredSize ?? 0);
      }

      wanted(): Promise<void> {
        return this.#backpressure ? this.#backpressureChange.promise : resolvedWith<void>(undefined);
      }

      enqueue(chunk: unknown): void {
        const controller = this.readableController;
        if (!controller.canCloseOrEnqueue) throw new TypeError('The readable side takes no more chunks');
        try {
          controller.enqueue(chunk);
        } catch (error) {
          this.#errorWritable(error);
          throw this.readable.storedError;
        }
        if (controller.hasBackpressure !== this.#backpressure) this.#setBackpressure(true);
      }

      error(reason: unknown): void {
        this.readableController.error(reason);
        this.#errorWritable(reason);
      }

      terminate(): void {
        this.readableController.close();
        this.#errorWritable(new TypeError('The transform stream was terminated'));
      }

      #errorWritable(reason: unknown): void {
        this.#forgetTransformer();
        this.writable.controller.errorIfNeeded(reason);
        // A write that waits for room must learn of the error.
        if (this.#backpressure) this.#setBackpressure(false);
      }

      #setBackpressure(backpressure: boolean): void {
        this.#backpressureChange.resolve();
        this.#backpressureChange = new Deferred<void>();
        this.#backpressure = backpressure;
      }

      #write(chunk: unknown): Promise<unknown> {
        if (!this.#backpressure) return this.#transform(chunk);
        return react(this.#backpressureChange.promise, () => {
          if (this.writable.state === 'erroring') throw this.writable.storedError;
          return this.#transform(chunk);
        });
      }

      #transform(chunk: unknown): Promise<unknown> {
        return react(this.algorithms.transform(chunk), undefined, (reason) => {
          this.error(reason);
          throw reason;
        });
      }

      #abort(reason: unknown): Promise<unknown> {
        if (this.#finish !== undefined) return this.#finish.promise;
        const finish = (this.#finish = new Deferred<void>());
        const cancelled = this.algorithms.cancel(reason);
        this.#forgetTransformer();
        upon(
          cancelled,
          () => {
            if (this.readable.state === 'errored') {
              finish.reject(this.readable.storedError);
            } else {
              this.readableController.error(reason);
              finish.resolve();
            }
          },
          (failure) => {
            this.readableController.error(failure);
            finish.reject(failure);
          },
        );
        return finish.promise;
      }

      #close(): Promise<unknown> {
        if (this.#finish !== undefined) return this.#finish.promise;
        const finish = (this.#finish = new Deferred<void>());
        const flushed = this.algorithms.flush();
        this.#forgetTransformer();
        upon(
          flushed,
          () => {
            if (this.readable.state === 'errored') {
              finish.reject(this.readable.storedError);
            } else {
              this.readableController.close();
              finish.resolve();
            }
          },
          (failure) => {
            this.readableController.error(failure);
            finish.reject(failure);
          },
        );
        return finish.promise;
      }

      #pull(): Promise<void> {
        this.#setBackpressure(false);
        return this.#backpressureChange.promise;
      }

      #cancel(reason: unknown): Promise<void> {
        if (this.#finish !== undefined) return this.#finish.promise;
        const finish = (this.#finish = new Deferred<void>());
        const cancelled = this.algorithms.cancel(reason);
        this.#forgetTransformer();
        const failWritable = (failure: unknown): void => {
          this.writable.controller.errorIfNeeded(failure);
          if (this.#backpressure) this.#setBackpressure(false);
        };
        upon(
          cancelled,
          () => {
            if (this.writable.state === 'errored') {
              finish.reject(this.writable.storedError);
            } else {
              failWritable(reason);
              finish.resolve();
            }
          },
          (failure) => {
            failWritable(failure);
            finish.reject(failure);
          },
        );
        return finish.promise;
      }

      #forgetTransformer(): void {
        // A finished stream must not keep what its maker's functions hold alive.
        this.algorithms = noAlgorithms;
      }
    }

    class TransformStreamDefaultController {
      #core: Transform;

      constructor(...[token, core]: [token: symbol, core: Transform]) {
        illegalConstructor(token);
        this.#core = core;
      }

      get desiredSize(): number | null {
        return this.#core.readableController.desiredSize;
      }

      enqueue(chunk: unknown = undefined): void {
        this.#core.enqueue(chunk);
      }

      error(reason: unknown = undefined): void {
        this.#core.error(reason);
      }

      terminate(): void {
        this.#core.terminate();
      }
    }

    let sidesOf: (stream: TransformStream) => Cores;
    let isTransform: (value: object) => boolean;

    class TransformStream {
      #core: Cores;

      constructor(
        transformer: unknown = undefined,
        writableStrategy: unknown = undefined,
        readableStrategy: unknown = undefined,
      ) {
        if (transformer === internal) this.#core = writableStrategy as Cores;
        else this.#core = setUp(transformer, writableStrategy, readableStrategy);
      }

      static {
        sidesOf = (stream) => stream.#core;
        isTransform = (value) => #core in value;
      }

      get readable(): ReadableFacade {
        return facadeOf(this.#core.readable);
      }

      get writable(): InstanceType<Families['writable_stream']['WritableStream']> {
        return writableFacadeOf(this.#core.writable);
      }
    }

    finishInterface(TransformStreamDefaultController);
    finishInterface(TransformStream);
    makeTransferable({
      name: 'TransformStream',
      has: (value) => isTransform(value),
      isDetached: (stream: TransformStream) => {
        const { readable, writable } = sidesOf(stream);
        return readable.locked || writable.locked;
      },
      transfer: (stream: TransformStream) => {
        const { readable, writable } = sidesOf(stream);
        const { transferReadable, transferWritable } = use('stream_transfer');
        const { coreOf } = use('readable_stream');
        const { writableCoreOf } = use('writable_stream');
        const sides: Cores = {
          readable: coreOf(transferReadable(readable)),
          writable: writableCoreOf(transferWritable(writable)),
        };
        return new TransformStream(internal, sides);
      },
    });

    function setUp(transformer: unknown, writableStrategy: unknown, readableStrategy: unknown): Transform {
      if (transformer !== undefined && !isObject(transformer)) {
        throw new TypeError('The transformer is not an object');
      }
      const writableSide = new Strategy(writableStrategy);
      const readableSide = new Strategy(readableStrategy);
      const members = toDictionary(transformer, 'The transformer');
      // Web IDL reads a dictionary's members in the order of their names.
      const cancel = toCallback(members.cancel, 'The cancel of a transformer');
      const flush = toCallback(members.flush, 'The flush of a transformer');
      const { readableType } = members;
      const start = toCallback(members.start, 'The start of a transformer');
      const transform = toCallback(members.transform, 'The transform of a transformer');
      const { writableType } = members;
      if (readableType !== undefined) throw new RangeError('A transformer has no readableType');
      if (writableType !== undefined) throw new RangeError('A transformer has no writableType');
      const readableMark = readableSide.highWaterMark(0);
      const readableSize = readableSide.sizeAlgorithm();
      const writableMark = writableSide.highWaterMark(1);
      const writableSize = writableSide.sizeAlgorithm();
      const started = new Deferred<unknown>();
      const core = new Transform({
        started: started.promise,
        writableMark,
        writableSize,
        readableMark,
        readableSize,
      });
      core.algorithms = {
        transform:
          transform === undefined
            ? (chunk) => identity(core, chunk)
            : (chunk) => callForPromise(transform, transformer, [chunk, core.facade]),
        flush: flush === undefined ? nothing : () => callForPromise(flush, transformer, [core.facade]),
        cancel: cancel === undefined ? nothing : (reason) => callForPromise(cancel, transformer, [reason]),
      };
      started.resolve(start === undefined ? undefined : Reflect.apply(start, transformer, [core.facade]));
      return core;
    }

    function identity(core: Transform, chunk: unknown): Promise<unknown> {
      try {
        core.enqueue(chunk);
        return nothing();
      } catch (error) {
        return rejectedWith(error);
      }
    }

    /**
     * A transform stream of the runtime's own, with the marks of the standard's "set up". `make` gets what adds
     * chunks to the readable side.
     */
    function createTransform(make: (output: TransformOutput) => NativeTransformer): TransformSides {
      const core = new Transform({
        started: nothing(),
        writableMark: 1,
        writableSize: undefined,
        readableMark: 0,
        readableSize: undefined,
      });
      const { transform, flush, cancel } = make(core);
      core.algorithms = {
        transform: (chunk) => callForPromise(transform, undefined, [chunk]),
        flush: flush === undefined ? nothing : () => callForPromise(flush, undefined, []),
        cancel: cancel === undefined ? nothing : (reason) => callForPromise(cancel, undefined, [reason]),
      };
      return { readable: facadeOf(core.readable), writable: writableFacadeOf(core.writable) };
    }

    return { TransformStream, TransformStreamDefaultController, createTransform };
  },
);
interface Families {
  transform_stream: FamilyOf<typeof transformStreamFamily>;
}
