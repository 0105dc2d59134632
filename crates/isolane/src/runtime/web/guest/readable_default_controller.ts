// The controller of a stream of any values (Streams standard, sections 4.6 and 4.9.4): its inside and its
// public class.
// Runs in a guest's context, on whichever thread has its isolate entered.

/** What the stream's maker does when it is started, pulled and cancelled. */
interface ReadableSource {
  readonly start: (() => unknown) | undefined;
  readonly pull: (() => Promise<unknown>) | undefined;
  readonly cancel: ((reason: unknown) => Promise<void>) | undefined;
}

type DefaultControllerCore = InstanceType<Families['readable_default_controller']['DefaultController']>;

const readableDefaultControllerFamily = define(
  'readable_default_controller',
  {
    globals: { ReadableStreamDefaultController: 'class' },
  },
  (use) => {
    const { finishInterface, illegalConstructor, internal } = use('webidl');
    const { SizedQueue, resolvedWith, upon } = use('stream_support');
    const { Readable } = use('readable_core');

    const noSource: ReadableSource = { start: undefined, pull: undefined, cancel: undefined };

    class DefaultController implements ReadableController {
      readonly stream: ReadableCore;
      readonly #queue = new SizedQueue<unknown>();
      readonly #highWaterMark: number;
      #size: SizeAlgorithm | undefined;
      #source: ReadableSource;
      #started = false;
      #closeRequested = false;
      #pulling = false;
      #pullAgain = false;
      #facade: ReadableStreamDefaultController | undefined = undefined;

      constructor(stream: ReadableCore, source: ReadableSource, highWaterMark: number, size?: SizeAlgorithm) {
        this.stream = stream;
        this.#source = source;
        this.#highWaterMark = highWaterMark;
        this.#size = size;
        stream.controller = this;
      }

      /** The object that guests see, made when one is to see it. */
      get facade(): ReadableStreamDefaultController {
        return (this.#facade ??= new ReadableStreamDefaultController(internal, this));
      }

      get desiredSize(): number | null {
        if (this.stream.state === 'errored') return null;
        if (this.stream.state === 'closed') return 0;
        return this.#highWaterMark - this.#queue.totalSize;
      }

      get canCloseOrEnqueue(): boolean {
        return !this.#closeRequested && this.stream.state === 'readable';
      }

      /** Whether a transform stream that writes here should wait. */
      get hasBackpressure(): boolean {
        return !this.#shouldPull();
      }

      /** Starts the source; its exception is the caller's. */
      start(): void {
        const { start } = this.#source;
        const result = start === undefined ? undefined : start();
        upon(
          resolvedWith(result),
          () => {
            this.#started = true;
            this.#pullIfNeeded();
          },
          (reason) => this.error(reason),
        );
      }

      close(): void {
        if (!this.canCloseOrEnqueue) return;
        this.#closeRequested = true;
        if (this.#queue.length === 0) {
          this.#forgetSource();
          this.stream.close();
        }
      }

      enqueue(chunk: unknown): void {
        if (!this.canCloseOrEnqueue) return;
        const reader = this.stream.defaultReader;
        if (reader !== undefined && reader.requests.length > 0) {
          reader.requests.shift().chunk(chunk);
        } else {
          try {
            const size = this.#size === undefined ? 1 : this.#size(chunk);
            this.#queue.enqueue(chunk, size);
          } catch (error) {
            this.error(error);
            throw error;
          }
        }
        this.#pullIfNeeded();
      }

      error(reason: unknown): void {
        if (this.stream.state !== 'readable') return;
        this.#queue.reset();
        this.#forgetSource();
        this.stream.error(reason);
      }

      pullSteps(request: ReadRequest): void {
        if (this.#queue.length === 0) {
          this.stream.defaultReader?.requests.push(request);
          this.#pullIfNeeded();
          return;
        }
        const chunk = this.#queue.dequeue();
        if (this.#closeRequested && this.#queue.length === 0) {
          this.#forgetSource();
          this.stream.close();
        } else {
          this.#pullIfNeeded();
        }
        request.chunk(chunk);
      }

      cancelSteps(reason: unknown): Promise<void> {
        this.#queue.reset();
        const { cancel } = this.#source;
        const result = cancel === undefined ? resolvedWith(undefined) : cancel(reason);
        this.#forgetSource();
        return result;
      }

      releaseSteps(): void {
        // Only streams of bytes have something to let go of.
      }

      #shouldPull(): boolean {
        if (!this.canCloseOrEnqueue || !this.#started) return false;
        if (this.stream.waitingReads > 0) return true;
        return this.#highWaterMark - this.#queue.totalSize > 0;
      }

      #pullIfNeeded(): void {
        if (!this.#shouldPull()) return;
        if (this.#pulling) {
          this.#pullAgain = true;
          return;
        }
        this.#pulling = true;
        const { pull } = this.#source;
        upon(
          pull === undefined ? resolvedWith<unknown>(undefined) : pull(),
          () => {
            this.#pulling = false;
            if (this.#pullAgain) {
              this.#pullAgain = false;
              this.#pullIfNeeded();
            }
          },
          (reason) => this.error(reason),
        );
      }

      #forgetSource(): void {
        // A closed stream must not keep what its maker's functions hold alive.
        this.#source = noSource;
        this.#size = undefined;
      }
    }

    class ReadableStreamDefaultController {
      #core: DefaultController;

      constructor(...[token, core]: [token: symbol, core: DefaultController]) {
        illegalConstructor(token);
        this.#core = core;
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

      enqueue(chunk: unknown = undefined): void {
        if (!this.#core.canCloseOrEnqueue) {
          throw new TypeError('The stream takes no more chunks: it is closed, closing or errored');
        }
        this.#core.enqueue(chunk);
      }

      error(reason: unknown = undefined): void {
        this.#core.error(reason);
      }
    }
    finishInterface(ReadableStreamDefaultController);

    /** Makes a stream over a source of the runtime's own and starts it. */
    function createReadable(source: ReadableSource, highWaterMark = 1, size?: SizeAlgorithm): ReadableCore {
      const stream = new Readable();
      new DefaultController(stream, source, highWaterMark, size).start();
      return stream;
    }

    return { ReadableStreamDefaultController, DefaultController, createReadable, noSource };
  },
);
interface Families {
  readable_default_controller: FamilyOf<typeof readableDefaultControllerFamily>;
}
