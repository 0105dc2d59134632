// ReadableStream.prototype.tee, for both kinds of streams (Streams standard, section 4.9.1).
// Runs in a guest's context, on whichever thread has its isolate entered.

const readableTeeFamily = define('readable_tee', { globals: {} }, (use) => {
  const { Deferred, inMicrotask, resolvedWith, upon } = use('stream_support');
  const { DefaultReader, ByobReader } = use('readable_core');
  const { createReadable } = use('readable_default_controller');

  type Branch = 0 | 1;

  /** The state of cancellation that both kinds of tees have: the source is cancelled once both branches are. */
  class Cancellation {
    readonly #source: ReadableCore;
    readonly #done = new Deferred<void>();
    readonly #reasons: [unknown, unknown] = [undefined, undefined];
    readonly cancelled: [boolean, boolean] = [false, false];

    constructor(source: ReadableCore) {
      this.#source = source;
    }

    cancel(branch: Branch, reason: unknown): Promise<void> {
      this.cancelled[branch] = true;
      this.#reasons[branch] = reason;
      if (this.cancelled[0] && this.cancelled[1]) this.#done.resolve(this.#source.cancel([...this.#reasons]));
      return this.#done.promise;
    }

    /** Settles what the branches' cancels wait for with the outcome of cancelling the source. */
    cancelSource(reason: unknown): void {
      this.#done.resolve(this.#source.cancel(reason));
    }

    /** The source has ended, so that nothing is left to cancel. */
    settle(): void {
      if (!this.cancelled[0] || !this.cancelled[1]) this.#done.resolve();
    }
  }

  /** Two branches of `source`; with `clone`, the second gets copies of the chunks. */
  function tee(source: ReadableCore, clone: boolean): [ReadableCore, ReadableCore] {
    const bytes = use('readable_byte_controller');
    return source.controller instanceof bytes.ByteController
      ? new ByteTee(source).branches
      : teeValues(source, clone);
  }

  function teeValues(source: ReadableCore, clone: boolean): [ReadableCore, ReadableCore] {
    const reader = new DefaultReader(source);
    const cancellation = new Cancellation(source);
    const { cancelled } = cancellation;
    let reading = false;
    let readAgain = false;

    const request: ReadRequest = {
      chunk: (chunk) =>
        inMicrotask(() => {
          // A microtask, because the source may enqueue within a pull of a branch.
          readAgain = false;
          let copy = chunk;
          if (!cancelled[1] && clone) {
            try {
              copy = use('structured_clone').structuredClone(chunk);
            } catch (error) {
              for (const controller of controllers) controller.error(error);
              cancellation.cancelSource(error);
              return;
            }
          }
          if (!cancelled[0]) controllers[0].enqueue(chunk);
          if (!cancelled[1]) controllers[1].enqueue(copy);
          reading = false;
          if (readAgain) pull();
        }),
      close: () => {
        reading = false;
        if (!cancelled[0]) controllers[0].close();
        if (!cancelled[1]) controllers[1].close();
        cancellation.settle();
      },
      error: () => {
        reading = false;
      },
    };

    function pull(): Promise<void> {
      if (reading) {
        readAgain = true;
      } else {
        reading = true;
        reader.read(request);
      }
      return resolvedWith<void>(undefined);
    }

    function createBranch(branch: Branch): ReadableCore {
      return createReadable({
        start: undefined,
        pull,
        cancel: (reason) => cancellation.cancel(branch, reason),
      });
    }

    const branches: [ReadableCore, ReadableCore] = [createBranch(0), createBranch(1)];
    const controllers = [branches[0].controller, branches[1].controller] as [
      DefaultControllerCore,
      DefaultControllerCore,
    ];
    upon(reader.closed.promise, undefined, (reason) => {
      controllers[0].error(reason);
      controllers[1].error(reason);
      cancellation.settle();
    });
    return branches;
  }

  /** The tee of a stream of bytes: it reads into the branches' own views where they have some. */
  class ByteTee {
    readonly branches: [ReadableCore, ReadableCore];
    readonly #controllers: [ByteControllerCore, ByteControllerCore];
    readonly #source: ReadableCore;
    readonly #cancellation: Cancellation;
    readonly #cancelled: [boolean, boolean];
    readonly #readAgain: [boolean, boolean] = [false, false];
    #reader: DefaultReaderCore | ByobReaderCore;
    #reading = false;

    constructor(source: ReadableCore) {
      this.#source = source;
      this.#reader = new DefaultReader(source);
      this.#cancellation = new Cancellation(source);
      this.#cancelled = this.#cancellation.cancelled;
      this.branches = [this.#createBranch(0), this.#createBranch(1)];
      this.#controllers = [
        this.branches[0].controller as ByteControllerCore,
        this.branches[1].controller as ByteControllerCore,
      ];
      this.#forwardError(this.#reader);
    }

    #createBranch(branch: Branch): ReadableCore {
      return use('readable_byte_controller').createReadableBytes({
        start: undefined,
        pull: () => this.#pull(branch),
        cancel: (reason) => this.#cancellation.cancel(branch, reason),
      });
    }

    #forwardError(reader: DefaultReaderCore | ByobReaderCore): void {
      upon(reader.closed.promise, undefined, (reason) => {
        // A reader that was exchanged for the other kind is no longer the source's.
        if (reader !== this.#reader) return;
        this.#controllers[0].error(reason);
        this.#controllers[1].error(reason);
        this.#cancellation.settle();
      });
    }

    #pull(branch: Branch): Promise<void> {
      if (this.#reading) {
        this.#readAgain[branch] = true;
      } else {
        this.#reading = true;
        const request = this.#controllers[branch].byobRequest;
        if (request === null) this.#read();
        else this.#readInto(request.view!, branch);
      }
      return resolvedWith<void>(undefined);
    }

    #pullAgain(): void {
      this.#reading = false;
      if (this.#readAgain[0]) void this.#pull(0);
      else if (this.#readAgain[1]) void this.#pull(1);
    }

    #fail(reason: unknown): void {
      this.#controllers[0].error(reason);
      this.#controllers[1].error(reason);
      this.#cancellation.cancelSource(reason);
    }

    #read(): void {
      if (this.#reader instanceof ByobReader) {
        this.#reader.release();
        this.#reader = new DefaultReader(this.#source);
        this.#forwardError(this.#reader);
      }
      const [first, second] = this.#controllers;
      this.#reader.read({
        chunk: (chunk) =>
          inMicrotask(() => {
            this.#readAgain[0] = this.#readAgain[1] = false;
            let copy = chunk as Uint8Array;
            if (!this.#cancelled[0] && !this.#cancelled[1]) {
              try {
                copy = copyOf(copy);
              } catch (error) {
                return this.#fail(error);
              }
            }
            if (!this.#cancelled[0]) first.enqueue(chunk as Uint8Array);
            if (!this.#cancelled[1]) second.enqueue(copy);
            this.#pullAgain();
          }),
        close: () => {
          this.#reading = false;
          if (!this.#cancelled[0]) first.close();
          if (!this.#cancelled[1]) second.close();
          if (first.hasPullIntos) first.respond(0);
          if (second.hasPullIntos) second.respond(0);
          this.#cancellation.settle();
        },
        error: () => {
          this.#reading = false;
        },
      });
    }

    #readInto(view: Uint8Array, branch: Branch): void {
      if (this.#reader instanceof DefaultReader) {
        this.#reader.release();
        this.#reader = new ByobReader(this.#source);
        this.#forwardError(this.#reader);
      }
      const other: Branch = branch === 0 ? 1 : 0;
      const own = this.#controllers[branch];
      const others = this.#controllers[other];
      this.#reader.read(view, 1, {
        chunk: (chunk) =>
          inMicrotask(() => {
            this.#readAgain[0] = this.#readAgain[1] = false;
            let copy: Uint8Array | undefined;
            if (!this.#cancelled[other]) {
              try {
                copy = copyOf(chunk);
              } catch (error) {
                return this.#fail(error);
              }
            }
            if (!this.#cancelled[branch]) own.respondWithNewView(chunk);
            if (copy !== undefined) others.enqueue(copy);
            this.#pullAgain();
          }),
        close: (chunk) => {
          this.#reading = false;
          if (!this.#cancelled[branch]) own.close();
          if (!this.#cancelled[other]) others.close();
          if (chunk !== undefined) {
            if (!this.#cancelled[branch]) own.respondWithNewView(chunk);
            if (!this.#cancelled[other] && others.hasPullIntos) others.respond(0);
          }
          this.#cancellation.settle();
        },
        error: () => {
          this.#reading = false;
        },
      });
    }
  }

  function copyOf(view: ArrayBufferView): Uint8Array {
    return new Uint8Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  }

  return { tee };
});
interface Families {
  readable_tee: FamilyOf<typeof readableTeeFamily>;
}
