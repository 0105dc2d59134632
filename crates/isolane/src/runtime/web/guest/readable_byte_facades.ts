// ReadableByteStreamController and ReadableStreamBYOBRequest (Streams standard, sections 4.7 and 4.8): what
// the maker of a stream of bytes holds.
// Runs in a guest's context, on whichever thread has its isolate entered.

type ByteControllerFacade = InstanceType<Families['readable_byte_facades']['ReadableByteStreamController']>;
type ByobRequestFacade = InstanceType<Families['readable_byte_facades']['ReadableStreamBYOBRequest']>;

const readableByteFacadesFamily = define(
  'readable_byte_facades',
  {
    globals: { ReadableByteStreamController: 'class', ReadableStreamBYOBRequest: 'class' },
  },
  (use) => {
    const { finishInterface, illegalConstructor, internal, requireArguments, toUnsignedLongLong } =
      use('webidl');
    const { toView } = use('stream_support');

    /** For the controller: the request is over. */
    let endRequest!: (request: ReadableStreamBYOBRequest) => void;

    class ReadableStreamBYOBRequest {
      #controller: ByteControllerCore | undefined;
      #view: Uint8Array | null;

      constructor(
        ...[token, controller, view]: [token: symbol, controller: ByteControllerCore, view: Uint8Array]
      ) {
        illegalConstructor(token);
        this.#controller = controller;
        this.#view = view;
      }

      get view(): Uint8Array | null {
        return this.#view;
      }

      respond(bytesWritten: number): void {
        const controller = this.#controller;
        requireArguments(1, arguments.length, "Failed to execute 'respond' on 'ReadableStreamBYOBRequest'");
        const count = toUnsignedLongLong(bytesWritten, { enforceRange: true });
        if (controller === undefined) throw new TypeError('This request has been answered already');
        if ((this.#view!.buffer as ArrayBuffer).detached) {
          throw new TypeError('The view of this request has been detached');
        }
        controller.respond(count);
      }

      respondWithNewView(view: ArrayBufferView): void {
        const controller = this.#controller;
        requireArguments(
          1,
          arguments.length,
          "Failed to execute 'respondWithNewView' on 'ReadableStreamBYOBRequest'",
        );
        const filled = toView(view);
        if (controller === undefined) throw new TypeError('This request has been answered already');
        if ((filled.buffer as ArrayBuffer).detached) throw new TypeError('The view has been detached');
        controller.respondWithNewView(filled);
      }

      static {
        endRequest = (request) => {
          request.#controller = undefined;
          request.#view = null;
        };
      }
    }

    class ReadableByteStreamController {
      #core: ByteControllerCore;

      constructor(...[token, core]: [token: symbol, core: ByteControllerCore]) {
        illegalConstructor(token);
        this.#core = core;
      }

      get byobRequest(): ReadableStreamBYOBRequest | null {
        return this.#core.byobRequest;
      }

      get desiredSize(): number | null {
        return this.#core.desiredSize;
      }

      close(): void {
        if (!this.#core.canCloseOrEnqueue) {
          throw new TypeError('The stream cannot be closed: it is closed, closing or errored');
        }
        this.#core.close();
      }

      enqueue(chunk: ArrayBufferView): void {
        const core = this.#core;
        requireArguments(
          1,
          arguments.length,
          "Failed to execute 'enqueue' on 'ReadableByteStreamController'",
        );
        const view = toView(chunk);
        if (view.byteLength === 0) throw new TypeError('The chunk is empty');
        if (view.buffer.byteLength === 0) throw new TypeError('The buffer of the chunk is empty');
        if (!core.canCloseOrEnqueue) {
          throw new TypeError('The stream takes no more chunks: it is closed, closing or errored');
        }
        core.enqueue(view);
      }

      error(reason: unknown = undefined): void {
        this.#core.error(reason);
      }
    }

    finishInterface(ReadableStreamBYOBRequest);
    finishInterface(ReadableByteStreamController);

    function controllerFacade(core: ByteControllerCore): ReadableByteStreamController {
      return new ReadableByteStreamController(internal, core);
    }

    function requestFacade(core: ByteControllerCore, view: Uint8Array): ReadableStreamBYOBRequest {
      return new ReadableStreamBYOBRequest(internal, core, view);
    }

    return {
      ReadableByteStreamController,
      ReadableStreamBYOBRequest,
      controllerFacade,
      requestFacade,
      endRequest,
    };
  },
);
interface Families {
  readable_byte_facades: FamilyOf<typeof readableByteFacadesFamily>;
}
