// The bytes that a stream of bytes has ready, and the views that wait for some (Streams standard, section
// 4.7.2).
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

const readableByteQueueFamily = define('readable_byte_queue', { globals: {} }, (use) => {
  const { Fifo } = use('stream_support');
  const { typedArrayName } = use('webidl');

  class ByteQueue {
    readonly #entries = new Fifo<QueuedBytes>();
    #byteLength = 0;

    get byteLength(): number {
      return this.#byteLength;
    }

    push(buffer: ArrayBuffer, byteOffset: number, byteLength: number): void {
      this.#entries.push({ buffer, byteOffset, byteLength });
      this.#byteLength += byteLength;
    }

    shift(): Uint8Array {
      const { buffer, byteOffset, byteLength } = this.#entries.shift();
      this.#byteLength -= byteLength;
      return new Uint8Array(buffer, byteOffset, byteLength);
    }

    clear(): void {
      this.#entries.takeAll();
      this.#byteLength = 0;
    }

    /** Moves bytes into a view; answers whether it has its minimum then. */
    fill(pullInto: PullInto): boolean {
      const maxBytesToCopy = Math.min(this.#byteLength, pullInto.byteLength - pullInto.bytesFilled);
      const maxBytesFilled = pullInto.bytesFilled + maxBytesToCopy;
      const maxAlignedBytes = maxBytesFilled - (maxBytesFilled % pullInto.elementSize);
      const ready = maxAlignedBytes >= pullInto.minimumFill;
      let remaining = ready ? maxAlignedBytes - pullInto.bytesFilled : maxBytesToCopy;
      while (remaining > 0) {
        const head = this.#entries.peek();
        const count = Math.min(remaining, head.byteLength);
        const target = new Uint8Array(pullInto.buffer, pullInto.byteOffset + pullInto.bytesFilled, count);
        target.set(new Uint8Array(head.buffer, head.byteOffset, count));
        if (head.byteLength === count) {
          this.#entries.shift();
        } else {
          head.byteOffset += count;
          head.byteLength -= count;
        }
        this.#byteLength -= count;
        pullInto.bytesFilled += count;
        remaining -= count;
      }
      return ready;
    }
  }

  /** A wait for `minimum` elements of a reader's view, whose memory becomes the stream's. */
  function pullIntoView(view: ArrayBufferView, minimum: number): PullInto {
    const { View, elementSize } = viewConstructorOf(view);
    const { byteOffset, byteLength } = view;
    const buffer = (view.buffer as ArrayBuffer).transfer();
    return {
      buffer,
      bufferByteLength: buffer.byteLength,
      byteOffset,
      byteLength,
      bytesFilled: 0,
      minimumFill: minimum * elementSize,
      elementSize,
      View,
      readerKind: 'byob',
    };
  }

  /** A wait for up to `size` bytes in memory that the stream allocates for a read of the default kind. */
  function pullIntoAllocated(size: number): PullInto {
    return {
      buffer: new ArrayBuffer(size),
      bufferByteLength: size,
      byteOffset: 0,
      byteLength: size,
      bytesFilled: 0,
      minimumFill: 1,
      elementSize: 1,
      View: Uint8Array as ViewConstructor,
      readerKind: 'default',
    };
  }

  /** The class that makes views of the same kind, whatever the view's own `constructor` says. */
  function viewConstructorOf(view: ArrayBufferView): { View: ViewConstructor; elementSize: number } {
    const name = typedArrayName(view);
    if (name === undefined) return { View: DataView as ViewConstructor, elementSize: 1 };
    const classes = globalThis as unknown as Record<string, ViewConstructor & { BYTES_PER_ELEMENT: number }>;
    const View = classes[name]!;
    return { View, elementSize: View.BYTES_PER_ELEMENT };
  }

  /** The part of the view that was filled, in memory that is the reader's again. */
  function filledView({ buffer, View, byteOffset, bytesFilled, elementSize }: PullInto): ArrayBufferView {
    return new View(buffer.transfer(), byteOffset, bytesFilled / elementSize);
  }

  return { ByteQueue, pullIntoView, pullIntoAllocated, filledView };
});
interface Families {
  readable_byte_queue: FamilyOf<typeof readableByteQueueFamily>;
}
