// Owns CompressionStream and DecompressionStream (WHATWG Compression Streams). The coders are the native
// side's; each makes its output in bounded steps, and waits where nobody reads it. Runs on the isolate's thread.

interface Host {
  /** A new coder. Formats: 0 deflate, 1 deflate-raw, 2 gzip, 3 brotli. */
  codecOpen(format: number, compresses: boolean): number;
  /**
   * Works on a part of the chunk from an offset on, or, without a chunk, on what is left at the end. Answers how
   * much it took and what it made, where it made something.
   */
  codecStep(id: number, chunk: BufferSource | undefined, from: number): [taken: number, made?: Uint8Array];
  codecClose(id: number): void;
}

const compressionStreamsFamily = define(
  'compression_streams',
  { globals: { CompressionStream: 'class', DecompressionStream: 'class' } },
  (use, host) => {
    const { finishInterface, requireArguments, toBufferSource, toEnum } = use('webidl');
    const { createTransform } = use('transform_stream');

    const FORMATS = ['deflate', 'deflate-raw', 'gzip', 'brotli'] as const;
    /** How many steps' output may wait for a reader: a mebibyte. */
    const MOST_WAITING = 16;

    function toFormat(value: unknown, what: string): number {
      const name = toEnum(value, FORMATS, what);
      for (let index = 0; index < FORMATS.length; index++) if (FORMATS[index] === name) return index;
      return 0;
    }

    function createSides(format: number, compresses: boolean): TransformSides {
      return createTransform((output) => new Coder(format, compresses, output).transformer());
    }

    /** One stream's coder, which the native side makes when there is data. */
    class Coder {
      #format: number;
      #compresses: boolean;
      #output: TransformOutput;
      #id = 0;
      #isOver = false;

      constructor(format: number, compresses: boolean, output: TransformOutput) {
        this.#format = format;
        this.#compresses = compresses;
        this.#output = output;
      }

      transformer(): NativeTransformer {
        return {
          transform: (chunk) => this.#run(() => toBufferSource(chunk, 'The chunk')),
          flush: () => this.#finish(),
          cancel: () => this.#close(),
        };
      }

      async #finish(): Promise<void> {
        await this.#run(() => undefined);
        this.#close();
      }

      /** Works on a chunk, or on what is left at the end. */
      async #run(chunkOf: () => BufferSource | undefined): Promise<void> {
        try {
          const chunk = chunkOf();
          if (this.#id === 0) this.#id = host.codecOpen(this.#format, this.#compresses);
          for (let from = 0; !this.#isOver; ) {
            const step = host.codecStep(this.#id, chunk, from);
            const taken = step[0];
            const made = step.length > 1 ? step[1] : undefined;
            if (taken === 0 && made === undefined) break;
            from += taken;
            if (made !== undefined) await this.#give(made);
          }
        } catch (error) {
          this.#close();
          throw error;
        }
      }

      async #give(made: Uint8Array): Promise<void> {
        this.#output.enqueue(made);
        if (this.#output.waiting >= MOST_WAITING) await this.#output.wanted();
      }

      #close(): void {
        this.#isOver = true;
        if (this.#id !== 0) host.codecClose(this.#id);
      }
    }

    class CompressionStream {
      #sides: TransformSides;

      constructor(format: unknown) {
        const what = "Failed to construct 'CompressionStream'";
        requireArguments(1, arguments.length, what);
        this.#sides = createSides(toFormat(format, `${what}: parameter 1`), true);
      }

      get readable(): TransformSides['readable'] {
        return this.#sides.readable;
      }

      get writable(): TransformSides['writable'] {
        return this.#sides.writable;
      }
    }

    class DecompressionStream {
      #sides: TransformSides;

      constructor(format: unknown) {
        const what = "Failed to construct 'DecompressionStream'";
        requireArguments(1, arguments.length, what);
        this.#sides = createSides(toFormat(format, `${what}: parameter 1`), false);
      }

      get readable(): TransformSides['readable'] {
        return this.#sides.readable;
      }

      get writable(): TransformSides['writable'] {
        return this.#sides.writable;
      }
    }

    finishInterface(CompressionStream);
    finishInterface(DecompressionStream);

    return { CompressionStream, DecompressionStream };
  },
);
interface Families {
  compression_streams: FamilyOf<typeof compressionStreamsFamily>;
}
