// The controller of a stream of bytes (Streams standard, section 4.9.5): its queue, and the views that wait
// to be filled. Its public classes are in readable_byte_facades.ts.
// Runs in a guest's context, on whichever thread has its isolate entered.

type ByteControllerCore = InstanceType<Families['readable_byte_controller']['ByteController']>;

const readableByteControllerFamily = define('readable_byte_controller', { globals: {} }, (use) => {
  const { resolvedWith, upon } = use('stream_support');
  const { ByteQueue, filledView, pullIntoAllocated, pullIntoView } = use('readable_byte_queue');
  const { Readable } = use('readable_core');
  const { noSource } = use('readable_default_controller');

  class ByteController implements ReadableController {
    readonly stream: ReadableCore;
    readonly #highWaterMark: number;
    readonly #autoAllocateChunkSize: number | undefined;
    #source: ReadableSource;
    readonly #queue = new ByteQueue();
    #pullIntos: PullInto[] = [];
    #started = false;
    #closeRequested = false;
    #pulling = false;
    #pullAgain = false;
    #byobRequest: ByobRequestFacade | null = null;
    #facade: ByteControllerFacade | undefined = undefined;

    constructor(
      stream: ReadableCore,
      source: ReadableSource,
      highWaterMark: number,
      autoAllocateChunkSize?: number,
    ) {
      this.stream = stream;
      this.#source = source;
      this.#highWaterMark = highWaterMark;
      this.#autoAllocateChunkSize = autoAllocateChunkSize;
      stream.controller = this;
    }

    get facade(): ByteControllerFacade {
      return (this.#facade ??= use('readable_byte_facades').controllerFacade(this));
    }

    get desiredSize(): number | null {
      if (this.stream.state === 'errored') return null;
      if (this.stream.state === 'closed') return 0;
      return this.#highWaterMark - this.#queue.byteLength;
    }

    get canCloseOrEnqueue(): boolean {
      return !this.#closeRequested && this.stream.state === 'readable';
    }

    get hasPullIntos(): boolean {
      return this.#pullIntos.length > 0;
    }

    /** The request for the view that is to be filled next, or null. */
    get byobRequest(): ByobRequestFacade | null {
      const first = this.#pullIntos[0];
      if (this.#byobRequest === null && first !== undefined) {
        const view = new Uint8Array(
          first.buffer,
          first.byteOffset + first.bytesFilled,
          first.byteLength - first.bytesFilled,
        );
        this.#byobRequest = use('readable_byte_facades').requestFacade(this, view);
      }
      return this.#byobRequest;
    }

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
      if (this.#queue.byteLength > 0) {
        this.#closeRequested = true;
        return;
      }
      const first = this.#pullIntos[0];
      if (first !== undefined && first.bytesFilled % first.elementSize !== 0) {
        const reason = new TypeError(
          'The stream ends in the middle of an element of the view that is being filled',
        );
        this.error(reason);
        throw reason;
      }
      this.#forgetSource();
      this.stream.close();
    }

    enqueue(chunk: ArrayBufferView): void {
      if (!this.canCloseOrEnqueue) return;
      const { byteOffset, byteLength } = chunk;
      const buffer = (chunk.buffer as ArrayBuffer).transfer();
      const first = this.#pullIntos[0];
      if (first !== undefined) {
        if (first.buffer.detached) throw new TypeError('The view that is being filled has been detached');
        this.#invalidateByobRequest();
        first.buffer = first.buffer.transfer();
        if (first.readerKind === 'none') this.#enqueueDetachedPullInto(first);
      }
      const reader = this.stream.defaultReader;
      if (reader !== undefined) {
        this.#serveReadsFromQueue(reader);
        if (reader.requests.length === 0) {
          this.#queue.push(buffer, byteOffset, byteLength);
        } else {
          if (this.#pullIntos.length > 0) this.#shiftPullInto();
          reader.requests.shift().chunk(new Uint8Array(buffer, byteOffset, byteLength));
        }
      } else {
        this.#queue.push(buffer, byteOffset, byteLength);
        if (this.stream.byobReader !== undefined) this.#commitAll(this.#fillPullIntosFromQueue());
      }
      this.#pullIfNeeded();
    }

    error(reason: unknown): void {
      if (this.stream.state !== 'readable') return;
      this.#clear();
      this.stream.error(reason);
    }

    /** The source has written `bytesWritten` bytes into the view of the current request. */
    respond(bytesWritten: number): void {
      const first = this.#pullIntos[0]!;
      if (this.stream.state === 'closed') {
        if (bytesWritten !== 0) throw new TypeError('The stream is closed, so that bytesWritten must be 0');
      } else {
        if (bytesWritten === 0) throw new TypeError('bytesWritten must be above 0 while the stream is open');
        if (first.bytesFilled + bytesWritten > first.byteLength) {
          throw new RangeError('bytesWritten is beyond the view');
        }
      }
      first.buffer = first.buffer.transfer();
      this.#respond(bytesWritten);
    }

    /** The source has filled `view`, of the same memory as the view of the current request. */
    respondWithNewView(view: ArrayBufferView): void {
      const first = this.#pullIntos[0]!;
      if (this.stream.state === 'closed') {
        if (view.byteLength !== 0) {
          throw new TypeError('The stream is closed, so that the view must be empty');
        }
      } else if (view.byteLength === 0) {
        throw new TypeError('The view must not be empty while the stream is open');
      }
      if (first.byteOffset + first.bytesFilled !== view.byteOffset) {
        throw new RangeError('The view starts elsewhere than the one of the request');
      }
      if (first.bufferByteLength !== view.buffer.byteLength) {
        throw new RangeError('The buffer of the view has another length than the one of the request');
      }
      if (first.bytesFilled + view.byteLength > first.byteLength) {
        throw new RangeError('The view is too long');
      }
      const { byteLength } = view;
      first.buffer = (view.buffer as ArrayBuffer).transfer();
      this.#respond(byteLength);
    }

    pullSteps(request: ReadRequest): void {
      const reader = this.stream.defaultReader!;
      if (this.#queue.byteLength > 0) return this.#serveFromQueue(request);
      const size = this.#autoAllocateChunkSize;
      if (size !== undefined) {
        try {
          this.#pullIntos.push(pullIntoAllocated(size));
        } catch (error) {
          return request.error(error);
        }
      }
      reader.requests.push(request);
      this.#pullIfNeeded();
    }

    /** Fills at least `minimum` elements of `view` and hands it back through `request`. */
    pullInto(view: ArrayBufferView, minimum: number, request: ReadIntoRequest): void {
      let pullInto: PullInto;
      try {
        pullInto = pullIntoView(view, minimum);
      } catch (error) {
        return request.error(error);
      }
      const reader = this.stream.byobReader!;
      if (this.#pullIntos.length > 0) {
        this.#pullIntos.push(pullInto);
        reader.requests.push(request);
        return;
      }
      if (this.stream.state === 'closed') return request.close(filledView(pullInto));
      if (this.#queue.byteLength > 0) {
        if (this.#queue.fill(pullInto)) {
          const filled = filledView(pullInto);
          this.#afterDequeue();
          return request.chunk(filled);
        }
        if (this.#closeRequested) {
          const reason = new TypeError(
            'The stream ends before the view has the elements that were asked for',
          );
          this.error(reason);
          return request.error(reason);
        }
      }
      this.#pullIntos.push(pullInto);
      reader.requests.push(request);
      this.#pullIfNeeded();
    }

    cancelSteps(reason: unknown): Promise<void> {
      const { cancel } = this.#source;
      this.#clear();
      return cancel === undefined ? resolvedWith(undefined) : cancel(reason);
    }

    releaseSteps(): void {
      const first = this.#pullIntos[0];
      if (first === undefined) return;
      first.readerKind = 'none';
      this.#pullIntos = [first];
    }

    #respond(bytesWritten: number): void {
      const first = this.#pullIntos[0]!;
      this.#invalidateByobRequest();
      if (this.stream.state === 'closed') this.#respondWhenClosed(first);
      else this.#respondWhenReadable(bytesWritten, first);
      this.#pullIfNeeded();
    }

    #respondWhenClosed(first: PullInto): void {
      if (first.readerKind === 'none') this.#shiftPullInto();
      const filled: PullInto[] = [];
      while (filled.length < this.stream.waitingReadIntos) filled.push(this.#shiftPullInto());
      this.#commitAll(filled);
    }

    #respondWhenReadable(bytesWritten: number, first: PullInto): void {
      first.bytesFilled += bytesWritten;
      if (first.readerKind === 'none') {
        this.#enqueueDetachedPullInto(first);
        this.#commitAll(this.#fillPullIntosFromQueue());
        return;
      }
      if (first.bytesFilled < first.minimumFill) return;
      this.#shiftPullInto();
      const remainder = first.bytesFilled % first.elementSize;
      if (remainder > 0) {
        const end = first.byteOffset + first.bytesFilled;
        this.#enqueueCopy(first.buffer, end - remainder, remainder);
        first.bytesFilled -= remainder;
      }
      const filled = this.#fillPullIntosFromQueue();
      this.#commit(first);
      this.#commitAll(filled);
    }

    #serveReadsFromQueue(reader: DefaultReaderCore): void {
      while (reader.requests.length > 0 && this.#queue.byteLength > 0)
        this.#serveFromQueue(reader.requests.shift());
    }

    #serveFromQueue(request: ReadRequest): void {
      const chunk = this.#queue.shift();
      this.#afterDequeue();
      request.chunk(chunk);
    }

    #afterDequeue(): void {
      if (this.#queue.byteLength === 0 && this.#closeRequested) {
        this.#forgetSource();
        this.stream.close();
      } else {
        this.#pullIfNeeded();
      }
    }

    #enqueueCopy(buffer: ArrayBuffer, byteOffset: number, byteLength: number): void {
      let copy: ArrayBuffer;
      try {
        copy = buffer.slice(byteOffset, byteOffset + byteLength);
      } catch (error) {
        this.error(error);
        throw error;
      }
      this.#queue.push(copy, 0, byteLength);
    }

    /** What was written for a reader that has gone since belongs to the next one. */
    #enqueueDetachedPullInto(pullInto: PullInto): void {
      if (pullInto.bytesFilled > 0) {
        this.#enqueueCopy(pullInto.buffer, pullInto.byteOffset, pullInto.bytesFilled);
      }
      this.#shiftPullInto();
    }

    #fillPullIntosFromQueue(): PullInto[] {
      const filled: PullInto[] = [];
      while (this.#pullIntos.length > 0 && this.#queue.byteLength > 0) {
        const first = this.#pullIntos[0]!;
        if (!this.#queue.fill(first)) break;
        this.#shiftPullInto();
        filled.push(first);
      }
      return filled;
    }

    #commitAll(pullIntos: PullInto[]): void {
      for (let i = 0; i < pullIntos.length; i++) this.#commit(pullIntos[i]!);
    }

    #commit(pullInto: PullInto): void {
      const { stream } = this;
      const done = stream.state === 'closed';
      const view = filledView(pullInto);
      const request =
        pullInto.readerKind === 'default'
          ? stream.defaultReader!.requests.shift()
          : stream.byobReader!.requests.shift();
      if (done) request.close(view);
      else request.chunk(view);
    }

    #shiftPullInto(): PullInto {
      this.#invalidateByobRequest();
      return this.#pullIntos.shift()!;
    }

    #invalidateByobRequest(): void {
      if (this.#byobRequest === null) return;
      use('readable_byte_facades').endRequest(this.#byobRequest);
      this.#byobRequest = null;
    }

    #shouldPull(): boolean {
      if (!this.canCloseOrEnqueue || !this.#started) return false;
      if (this.stream.waitingReads > 0 || this.stream.waitingReadIntos > 0) return true;
      return this.#highWaterMark - this.#queue.byteLength > 0;
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

    #clear(): void {
      this.#invalidateByobRequest();
      this.#pullIntos = [];
      this.#queue.clear();
      this.#forgetSource();
    }

    #forgetSource(): void {
      // A closed stream must not keep what its maker's functions hold alive.
      this.#source = noSource;
    }
  }

  /** Makes a stream of bytes over a source of the runtime's own and starts it. */
  function createReadableBytes(source: ReadableSource, highWaterMark = 0): ReadableCore {
    const stream = new Readable();
    new ByteController(stream, source, highWaterMark).start();
    return stream;
  }

  return { ByteController, createReadableBytes };
});
interface Families {
  readable_byte_controller: FamilyOf<typeof readableByteControllerFamily>;
}
