// Owns TextEncoderStream and TextDecoderStream (WHATWG Encoding Standard, sections 7.3 to 7.6). Runs on the
// isolate's thread.

const encodingStreamsFamily = define(
  'encoding_streams',
  { globals: { TextEncoderStream: 'class', TextDecoderStream: 'class' } },
  (use) => {
    const { finishInterface, toBufferSource, toDOMString } = use('webidl');
    const { TextDecoder, decodePart, utf8Encode } = use('encoding');
    const { createTransform } = use('transform_stream');

    const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

    class TextEncoderStream {
      #sides: TransformSides;

      constructor() {
        let pending = '';
        this.#sides = createTransform((output) => ({
          transform(chunk) {
            const text = pending + toDOMString(chunk);
            const end = isHighSurrogate(text.charCodeAt(text.length - 1)) ? text.length - 1 : text.length;
            pending = text.slice(end);
            if (end > 0) output.enqueue(utf8Encode(text.slice(0, end)));
          },
          flush() {
            if (pending !== '') output.enqueue(utf8Encode(pending));
          },
        }));
      }

      get encoding(): string {
        void this.#sides;
        return 'utf-8';
      }

      get readable(): ReadableFacade {
        return this.#sides.readable;
      }

      get writable(): InstanceType<Families['writable_stream']['WritableStream']> {
        return this.#sides.writable;
      }
    }
    finishInterface(TextEncoderStream);

    class TextDecoderStream {
      #encoding: string;
      #fatal: boolean;
      #ignoreBOM: boolean;
      #sides: TransformSides;

      constructor(label: unknown = 'utf-8', options: unknown = undefined) {
        const decoder = new TextDecoder(label, options);
        this.#encoding = decoder.encoding;
        this.#fatal = decoder.fatal;
        this.#ignoreBOM = decoder.ignoreBOM;
        this.#sides = createTransform((output) => {
          const decode = (source: BufferSource, isLast: boolean): void => {
            const text = decodePart(decoder, source, isLast);
            if (text !== '') output.enqueue(text);
          };
          return {
            transform: (chunk) => decode(toBufferSource(chunk, 'The chunk'), false),
            flush: () => decode(new Uint8Array(0), true),
          };
        });
      }

      get encoding(): string {
        return this.#encoding;
      }

      get fatal(): boolean {
        return this.#fatal;
      }

      get ignoreBOM(): boolean {
        return this.#ignoreBOM;
      }

      get readable(): ReadableFacade {
        return this.#sides.readable;
      }

      get writable(): InstanceType<Families['writable_stream']['WritableStream']> {
        return this.#sides.writable;
      }
    }
    finishInterface(TextDecoderStream);

    return { TextEncoderStream, TextDecoderStream };
  },
);
interface Families {
  encoding_streams: FamilyOf<typeof encodingStreamsFamily>;
}
