// The controller of a stream of bytes (Streams standard, section 4.9.5): its queue, and the views that wait to be filled.
// Its public classes are in readable_byte_facades.ts.
// Runs in a guest's context, on whichever thread has its isolate entered.

type ViewConstructor = new (buffer: ArrayBuffer, byteOffset: number, length: number) => ArrayBufferView;

/** A view that waits for bytes: a reader's own, or one that was allocated for a read of the default kind. */
interface PullInto {
  buffer: ArrayBuffer;
  readonly bufferByteLength: number;
  readonly byteOffset: number;
  readonly byteLength: number;
  bytesFilled: number;
  readonly minimumFill: number;
  readonly elementSize: number;
  readonly View: ViewConstructor;
  readerKind: 'default' | 'byob' | 'none';
}

interface QueuedBytes {
  readonly buffer: ArrayBuffer;
  byteOffset: number;
  byteLength: number;
}

type ByteControllerCore = InstanceType<Families['readable_byte_controller']['ByteController']>;

const readableByteControllerFamily = define('readable_byte_controller', { globals: {} }, (use) => {
  const { Fifo, resolvedWith, upon } = use('stream_support');
  const { typedArrayName } = use('webidl');
  const { Readable } = use('readable_core');
  const { noSource } = use('readable_default_controller');

  /** The class that makes views of the same kind, whatever the view's own `constructor` says. */
  function viewConstructorOf(view: ArrayBufferView): { View: ViewConstructor; elementSize: number } {
    const name = typedArrayName(view);
    if (name === undefined) return { View: DataView as ViewConstructor, elementSize: 1 };
    const View = (globalThis as unknown as Record<string, ViewConstructor & { BYTES_PER_ELEMENT: number }>)[name]!;
    return { View, elementSize: View.BYTES_PER_ELEMENT };
  }

  class ByteController implements ReadableController {
    readonly stream: ReadableCore;
    readonly #highWaterMark: number;
    readonly #autoAllocateChunkSize: number | undefined;
    #source: ReadableSource;
    readonly #queue = new Fifo<QueuedBytes>();
    #queuedBytes = 0;
    #pullIntos: PullInto[] = [];
    #started = false;
    #closeRequested = false;
    #pulling = false;
    #pullAgain = false;
    #byobRequest: ByobRequestFacade | null = null;
    #facade: ByteControllerFacade | undefined = undefined;

    constructor(stream: ReadableCore, source: ReadableSource, highWaterMark: number, autoAllocateChunkSize?: number) {
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
      return this.#highWaterMark - this.#queuedBytes;
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
        const view = new Uint8Array(first.buffer, first.byteOffset + first.bytesFilled, first.byteLength - first.bytesFilled);
        this.#byobRequest = use('readable_byte_facades').requestFacade(this, view);
      }
      return this.#byobRequest;
    }

    start(): void {
      const { start } = this.#source;
      const result = start === undefined ? undefined : start();
      upon(resolvedWith(result), () => {
        this.#started = true;
        this.#pullIfNeeded();
      }, (reason) => this.error(reason));
    }

    close(): void {
      if (!this.canCloseOrEnqueue) return;
      if (this.#queuedBytes > 0) {
        this.#closeRequested = true;
        return;
      }
      const first = this.#pullIntos[0];
      if (first !== undefined && first.bytesFilled % first.elementSize !== 0) {
        const reason = new TypeError('The stream ends in the middle of an element of the view that is being filled');
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
          this.#enqueueBytes(buffer, byteOffset, byteLength);
        } else {
          if (this.#pullIntos.length > 0) this.#shiftPullInto();
          reader.requests.shift().chunk(new Uint8Array(buffer, byteOffset, byteLength));
        }
      } else {
        this.#enqueueBytes(buffer, byteOffset, byteLength);
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
        if (first.bytesFilled + bytesWritten > first.byteLength) throw new RangeError('bytesWritten is beyond the view');
      }
      first.buffer = first.buffer.transfer();
      this.#respond(bytesWritten);
    }

    /** The source has filled `view`, of the same memory as the view of the current request. */
    respondWithNewView(view: ArrayBufferView): void {
      const first = this.#pullIntos[0]!;
      if (this.stream.state === 'closed') {
        if (view.byteLength !== 0) throw new TypeError('The stream is closed, so that the view must be empty');
      } else if (view.byteLength === 0) {
        throw new TypeError('The view must not be empty while the stream is open');
      }
      if (first.byteOffset + first.bytesFilled !== view.byteOffset) {
        throw new RangeError('The view starts elsewhere than the one of the request');
      }
      if (first.bufferByteLength !== view.buffer.byteLength) {
        throw new RangeError('The buffer of the view has another length than the one of the request');
      }
      if (first.bytesFilled + view.byteLength > first.byteLength) throw new RangeError('The view is too long');
      const { byteLength } = view;
      first.buffer = (view.buffer as ArrayBuffer).transfer();
      this.#respond(byteLength);
    }

    pullSteps(request: ReadRequest): void {
      const reader = this.stream.defaultReader!;
      if (this.#queuedBytes > 0) return this.#serveFromQueue(request);
      const size = this.#autoAllocateChunkSize;
      if (size !== undefined) {
        let buffer: ArrayBuffer;
        try {
          buffer = new ArrayBuffer(size);
        } catch (error) {
          return request.error(error);
        }
        this.#pullIntos.push({
          buffer, bufferByteLength: size, byteOffset: 0, byteLength: size, bytesFilled: 0, minimumFill: 1,
          elementSize: 1, View: Uint8Array as ViewConstructor, readerKind: 'default',
        });
      }
      reader.requests.push(request);
      this.#pullIfNeeded();
    }

    /** Fills at least `minimum` elements of `view` and hands it back through `request`. */
    pullInto(view: ArrayBufferView, minimum: number, request: ReadIntoRequest): void {
      const { View, elementSize } = viewConstructorOf(view);
      const { byteOffset, byteLength } = view;
      let buffer: ArrayBuffer;
      try {
        buffer = (view.buffer as ArrayBuffer).transfer();
      } catch (error) {
        return request.error(error);
      }
      const pullInto: PullInto = {
        buffer, bufferByteLength: buffer.byteLength, byteOffset, byteLength, bytesFilled: 0,
        minimumFill: minimum * elementSize, elementSize, View, readerKind: 'byob',
      };
      const reader = this.stream.byobReader!;
      if (this.#pullIntos.length > 0) {
        this.#pullIntos.push(pullInto);
        reader.requests.push(request);
        return;
      }
      if (this.stream.state === 'closed') return request.close(new View(buffer, byteOffset, 0));
      if (this.#queuedBytes > 0) {
        if (this.#fillFromQueue(pullInto)) {
          const filled = this.#viewOf(pullInto);
          this.#afterDequeue();
          return request.chunk(filled);
        }
        if (this.#closeRequested) {
          const reason = new TypeError('The stream ends before the view has the elements that were asked for');
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
      while (reader.requests.length > 0 && this.#queuedBytes > 0) this.#serveFromQueue(reader.requests.shift());
    }

    #serveFromQueue(request: ReadRequest): void {
      const { buffer, byteOffset, byteLength } = this.#queue.shift();
      this.#queuedBytes -= byteLength;
      this.#afterDequeue();
      request.chunk(new Uint8Array(buffer, byteOffset, byteLength));
    }

    #afterDequeue(): void {
      if (this.#queuedBytes === 0 && this.#closeRequested) {
        this.#forgetSource();
        this.stream.close();
      } else {
        this.#pullIfNeeded();
      }
    }

    #enqueueBytes(buffer: ArrayBuffer, byteOffset: number, byteLength: number): void {
      this.#queue.push({ buffer, byteOffset, byteLength });
      this.#queuedBytes += byteLength;
    }

    #enqueueCopy(buffer: ArrayBuffer, byteOffset: number, byteLength: number): void {
      let copy: ArrayBuffer;
      try {
        copy = buffer.slice(byteOffset, byteOffset + byteLength);
      } catch (error) {
        this.error(error);
        throw error;
      }
      this.#enqueueBytes(copy, 0, byteLength);
    }

    /** What was written for a reader that has gone since belongs to the next one. */
    #enqueueDetachedPullInto(pullInto: PullInto): void {
      if (pullInto.bytesFilled > 0) this.#enqueueCopy(pullInto.buffer, pullInto.byteOffset, pullInto.bytesFilled);
      this.#shiftPullInto();
    }

    #fillPullIntosFromQueue(): PullInto[] {
      const filled: PullInto[] = [];
      while (this.#pullIntos.length > 0 && this.#queuedBytes > 0) {
        const first = this.#pullIntos[0]!;
        if (!this.#fillFromQueue(first)) break;
        this.#shiftPullInto();
        filled.push(first);
      }
      return filled;
    }

    /** Copies from the queue; answers whether the view has its minimum. */
    #fillFromQueue(pullInto: PullInto): boolean {
      const maxBytesToCopy = Math.min(this.#queuedBytes, pullInto.byteLength - pullInto.bytesFilled);
      const maxBytesFilled = pullInto.bytesFilled + maxBytesToCopy;
      const maxAlignedBytes = maxBytesFilled - (maxBytesFilled % pullInto.elementSize);
      const ready = maxAlignedBytes >= pullInto.minimumFill;
      let remaining = ready ? maxAlignedBytes - pullInto.bytesFilled : maxBytesToCopy;
      while (remaining > 0) {
        const head = this.#queue.peek();
        const count = Math.min(remaining, head.byteLength);
        const target = new Uint8Array(pullInto.buffer, pullInto.byteOffset + pullInto.bytesFilled, count);
        target.set(new Uint8Array(head.buffer, head.byteOffset, count));
        if (head.byteLength === count) {
          this.#queue.shift();
        } else {
          head.byteOffset += count;
          head.byteLength -= count;
        }
        this.#queuedBytes -= count;
        pullInto.bytesFilled += count;
        remaining -= count;
      }
      return ready;
    }

    #commitAll(pullIntos: PullInto[]): void {
      for (let i = 0; i < pullIntos.length; i++) this.#commit(pullIntos[i]!);
    }

    #commit(pullInto: PullInto): void {
      const { stream } = this;
      const done = stream.state === 'closed';
      const view = this.#viewOf(pullInto);
      const request = pullInto.readerKind === 'default'
        ? stream.defaultReader!.requests.shift()
        : stream.byobReader!.requests.shift();
      if (done) request.close(view);
      else request.chunk(view);
    }

    #viewOf(pullInto: PullInto): ArrayBufferView {
      const { View, byteOffset, bytesFilled, elementSize } = pullInto;
      return new View(pullInto.buffer.transfer(), byteOffset, bytesFilled / elementSize);
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
      return this.#highWaterMark - this.#queuedBytes > 0;
    }

    #pullIfNeeded(): void {
      if (!this.#shouldPull()) return;
      if (this.#pulling) {
        this.#pullAgain = true;
        return;
      }
      this.#pulling = true;
      const { pull } = this.#source;
      upon(pull === undefined ? resolvedWith<unknown>(undefined) : pull(), () => {
        this.#pulling = false;
        if (this.#pullAgain) {
          this.#pullAgain = false;
          this.#pullIfNeeded();
        }
      }, (reason) => this.error(reason));
    }

    #clear(): void {
      this.#invalidateByobRequest();
      this.#pullIntos = [];
      this.#queue.takeAll();
      this.#queuedBytes = 0;
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
interface Families { readable_byte_controller: FamilyOf<typeof readableByteControllerFamily> }
