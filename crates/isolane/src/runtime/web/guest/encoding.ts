// Owns TextEncoder and TextDecoder (WHATWG Encoding Standard), atob and btoa (WHATWG HTML). What a streaming
// decoder remembers between two chunks is one integer, `#carry`, so nothing outlives it. Runs on the isolate's thread.

/** What a decoding operation returns in the place of text: see the constants in encoding.ts. */
type DecodingFailure = number;

interface Host {
  /** The length of `text` in UTF-8; writes it where `target` is long enough. */
  textEncode(text: string, target: Uint8Array): number;
  /** Writes as many whole characters as fit; answers the code units read and the bytes written. */
  textEncodeInto(text: string, target: Uint8Array): [read: number, written: number];
  /** The encoding that has this label, null where none has. */
  textEncoding(label: string): [id: number, name: string] | null;
  textDecode(encoding: number, source: unknown, flags: number): string | DecodingFailure;
  /** Decodes the next part of a stream; `carry` is 0 at the start, then what the last call answered. */
  textDecodeChunk(
    encoding: number,
    source: unknown,
    flags: number,
    carry: number,
  ): [text: string, carry: number] | DecodingFailure;
  /** The decoded bytes as code units, null where `text` is not base64. */
  base64Decode(text: string): string | null;
  /** Base64 of the code units as bytes, null where one is above 255. */
  base64Encode(text: string): string | null;
}

const encodingFamily = define(
  'encoding',
  { globals: { TextEncoder: 'class', TextDecoder: 'class', atob: 'function', btoa: 'function' } },
  (use, host) => {
    const { finishInterface, requireArguments, toDictionary, toDOMString, typedArrayName } = use('webidl');

    // The ids of the encodings that may start with a byte order mark are 0 (UTF-8), 1 and 2 (UTF-16).
    const LAST_WITH_BOM = 2;
    const UTF_16LE = 1;
    const UTF_16BE = 2;
    const FATAL = 1;
    const KEEP_BOM = 2;
    const STREAM = 4;
    const NOT_A_BUFFER = 0;
    const MALFORMED = 1;

    /** Up to this length V8 keeps an array's bytes on its own heap, where native code cannot write them in place. */
    const SHORT = 64;

    class TextEncoder {
      #branded = true;

      get encoding(): string {
        void this.#branded;
        return 'utf-8';
      }

      encode(input: unknown = ''): Uint8Array<ArrayBuffer> {
        void this.#branded;
        return utf8Encode(toDOMString(input));
      }

      encodeInto(source: unknown, destination: unknown): { read: number; written: number } {
        void this.#branded;
        requireArguments(2, arguments.length, "Failed to execute 'encodeInto' on 'TextEncoder'");
        const text = toDOMString(source);
        if (typedArrayName(destination) !== 'Uint8Array') {
          throw new TypeError(
            "Failed to execute 'encodeInto' on 'TextEncoder': parameter 2 is not of type 'Uint8Array'.",
          );
        }
        const [read, written] = host.textEncodeInto(text, destination as Uint8Array);
        return { read, written };
      }
    }
    finishInterface(TextEncoder);

    let decodeChunk: (decoder: TextDecoder, input: unknown, flags: number) => string;

    class TextDecoder {
      #id = 0;
      #name = 'utf-8';
      #fatal: boolean;
      #ignoreBOM: boolean;
      #carry = 0;
      #streaming = false;
      #bomSeen = false;

      constructor(label: unknown = 'utf-8', options: unknown = undefined) {
        if (label !== 'utf-8') {
          const text = toDOMString(label);
          const found = host.textEncoding(text);
          if (found === null) {
            throw new RangeError(
              `Failed to construct 'TextDecoder': The encoding label provided ('${text}') is invalid.`,
            );
          }
          this.#id = found[0];
          this.#name = found[1];
        }
        const dictionary = toDictionary(options, "Failed to construct 'TextDecoder': The provided value");
        this.#fatal = Boolean(dictionary?.fatal);
        this.#ignoreBOM = Boolean(dictionary?.ignoreBOM);
      }

      get encoding(): string {
        return this.#name;
      }

      get fatal(): boolean {
        return this.#fatal;
      }

      get ignoreBOM(): boolean {
        return this.#ignoreBOM;
      }

      decode(input: unknown = undefined, options: unknown = undefined): string {
        let flags = this.#fatal ? FATAL : 0;
        const dictionary = toDictionary(
          options,
          "Failed to execute 'decode' on 'TextDecoder': The provided value",
        );
        if (dictionary?.stream) flags |= STREAM;
        if ((flags & STREAM) !== 0 || this.#streaming) return this.#decodeChunk(input, flags);
        if (input === undefined) return '';
        if (this.#ignoreBOM) flags |= KEEP_BOM;
        const text = host.textDecode(this.#id, input, flags);
        return typeof text === 'string' ? text : fail(text, this.#name);
      }

      #decodeChunk(input: unknown, flags: number): string {
        const source = input === undefined ? new Uint8Array(0) : input;
        const decoded = host.textDecodeChunk(this.#id, source, flags, this.#carry);
        if (typeof decoded === 'number') {
          if (decoded !== NOT_A_BUFFER) this.#restart();
          return fail(decoded, this.#name);
        }
        let text = decoded[0];
        if (!this.#bomSeen && text !== '') {
          this.#bomSeen = true;
          const hasBom = this.#id <= LAST_WITH_BOM && !this.#ignoreBOM && text.charCodeAt(0) === 0xfeff;
          if (hasBom) text = text.slice(1);
        }
        if ((flags & STREAM) === 0) {
          this.#restart();
        } else {
          this.#carry = decoded[1];
          this.#streaming = true;
        }
        return text;
      }

      static {
        decodeChunk = (decoder, input, flags) =>
          decoder.#decodeChunk(input, decoder.#fatal ? flags | FATAL : flags);
      }

      #restart(): void {
        this.#carry = 0;
        this.#streaming = false;
        this.#bomSeen = false;
      }
    }
    finishInterface(TextDecoder);

    /** Decodes the next part of a stream, whatever a guest has made of the class. */
    function decodePart(decoder: TextDecoder, source: BufferSource, isLast: boolean): string {
      return decodeChunk(decoder, source, isLast ? 0 : STREAM);
    }

    function fail(failure: DecodingFailure, encoding: string): never {
      if (failure === NOT_A_BUFFER) {
        throw new TypeError(
          "Failed to execute 'decode' on 'TextDecoder': parameter 1 is not an ArrayBuffer or a view of one.",
        );
      }
      if (failure === MALFORMED)
        throw new TypeError(`The encoded data was not valid for encoding ${encoding}`);
      throw new RangeError('The decoded text is longer than a string can be');
    }

    /** UTF-8 of a string, lone surrogates replaced, in an array of its own. */
    function utf8Encode(text: string): Uint8Array<ArrayBuffer> {
      const bytes = new Uint8Array(text.length);
      if (text.length <= SHORT && writeAscii(text, bytes)) return bytes;
      const length = host.textEncode(text, bytes);
      if (length === bytes.length) return bytes;
      const longer = new Uint8Array(length);
      host.textEncode(text, longer);
      return longer;
    }

    function writeAscii(text: string, bytes: Uint8Array): boolean {
      for (let i = 0; i < text.length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 0x7f) return false;
        bytes[i] = unit;
      }
      return true;
    }

    /** Text of UTF-8, malformed parts replaced; a byte order mark at the start is removed unless `keepBom`. */
    function utf8Decode(bytes: Uint8Array, keepBom = false): string {
      const text = host.textDecode(0, bytes, keepBom ? KEEP_BOM : 0);
      return typeof text === 'string' ? text : fail(text, 'utf-8');
    }

    /** The encoding that a byte order mark names, undefined where there is none. */
    function encodingOfMark(bytes: Uint8Array): number | undefined {
      const [first, second, third] = [bytes[0], bytes[1], bytes[2]];
      if (first === 0xef && second === 0xbb && third === 0xbf) return 0;
      if (first === 0xfe && second === 0xff) return UTF_16BE;
      return first === 0xff && second === 0xfe ? UTF_16LE : undefined;
    }

    /** Text of bytes in an encoding, malformed parts replaced and a byte order mark removed. */
    function decodeWith(encoding: number, bytes: Uint8Array): string {
      const text = host.textDecode(encoding, bytes, 0);
      return typeof text === 'string' ? text : fail(text, 'the given');
    }

    const { atob } = {
      atob(data: unknown): string {
        requireArguments(1, arguments.length, "Failed to execute 'atob'");
        const decoded = host.base64Decode(toDOMString(data));
        if (decoded !== null) return decoded;
        return invalidCharacter(
          "Failed to execute 'atob': The string to be decoded is not correctly encoded.",
        );
      },
    };

    const { btoa } = {
      btoa(data: unknown): string {
        requireArguments(1, arguments.length, "Failed to execute 'btoa'");
        const encoded = host.base64Encode(toDOMString(data));
        if (encoded !== null) return encoded;
        return invalidCharacter(
          "Failed to execute 'btoa': The string to be encoded contains characters outside of the Latin1 range.",
        );
      },
    };

    function invalidCharacter(message: string): never {
      throw new (use('dom_exception').DOMException)(message, 'InvalidCharacterError');
    }

    const { fromCharCode } = String;
    const UNITS_AT_A_TIME = 8192;

    /** A string with a character for each byte (https://infra.spec.whatwg.org/#isomorphic-decode). */
    function isomorphicDecode(bytes: Uint8Array): string {
      let text = '';
      for (let at = 0; at < bytes.length; at += UNITS_AT_A_TIME) {
        text += Reflect.apply(fromCharCode, undefined, bytes.subarray(at, at + UNITS_AT_A_TIME));
      }
      return text;
    }

    return {
      TextEncoder,
      TextDecoder,
      atob,
      btoa,
      decodePart,
      decodeWith,
      encodingOfMark,
      isomorphicDecode,
      utf8Encode,
      utf8Decode,
    };
  },
);
interface Families {
  encoding: FamilyOf<typeof encodingFamily>;
}
