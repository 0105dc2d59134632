// Owns Blob and File (W3C File API). The bytes of a blob live in one array of the guest and never change, so slices
// and blobs made of one blob share them. Runs on the isolate's thread.

const blobFamily = define('blob', { globals: { Blob: 'class', File: 'class' } }, (use) => {
  const {
    copyBytes,
    finishInterface,
    isBufferSource,
    makeCloneable,
    requireArguments,
    toDictionary,
    toDOMString,
    toEnum,
    toLongLong,
    toSequence,
    toUSVString,
  } = use('webidl');

  type Part = string | BufferSource | Blob;
  interface Bag {
    endings: 'transparent' | 'native';
    type: string;
  }

  const CHUNK_BYTES = 65_536;

  let blobBytes: (blob: Blob) => Uint8Array<ArrayBuffer>;
  let fill: (blob: Blob, bytes: Uint8Array<ArrayBuffer>, type: string) => void;
  let isBlob: (value: unknown) => value is Blob;

  class Blob {
    #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
    #type = '';

    static {
      blobBytes = (blob) => blob.#bytes;
      fill = (blob, bytes, type) => {
        blob.#bytes = bytes;
        blob.#type = type;
      };
      isBlob = (value): value is Blob => typeof value === 'object' && value !== null && #bytes in value;
    }

    constructor(blobParts: unknown = undefined, options: unknown = undefined) {
      const what = "Failed to construct 'Blob': The provided value";
      const parts = blobParts === undefined ? [] : toSequence(blobParts, toPart, what);
      const bag = toBag(toDictionary(options, what));
      this.#bytes = joinParts(parts, bag);
      this.#type = bag.type;
    }

    get size(): number {
      return this.#bytes.length;
    }

    get type(): string {
      return this.#type;
    }

    slice(start: unknown = undefined, end: unknown = undefined, contentType: unknown = undefined): Blob {
      const bytes = this.#bytes;
      const from = relative(start, 0, bytes.length);
      const to = relative(end, bytes.length, bytes.length);
      const type = contentType === undefined ? '' : normalizeType(toDOMString(contentType));
      const length = Math.max(to - from, 0);
      return makeBlob(new Uint8Array(bytes.buffer, bytes.byteOffset + from, length), type);
    }

    stream(): InstanceType<Families['readable_stream']['ReadableStream']> {
      const bytes = this.#bytes;
      let at = 0;
      const { ReadableStream } = use('readable_stream');
      return new ReadableStream({
        type: 'bytes',
        pull(controller: {
          enqueue(chunk: Uint8Array): void;
          close(): void;
          byobRequest: ByobRequest | null;
        }) {
          if (at < bytes.length) {
            const end = Math.min(at + CHUNK_BYTES, bytes.length);
            controller.enqueue(bytes.slice(at, end));
            at = end;
            return;
          }
          controller.close();
          controller.byobRequest?.respond(0);
        },
      });
    }

    async text(): Promise<string> {
      return use('encoding').utf8Decode(this.#bytes);
    }

    async arrayBuffer(): Promise<ArrayBuffer> {
      return new Uint8Array(this.#bytes).buffer;
    }

    async bytes(): Promise<Uint8Array<ArrayBuffer>> {
      return new Uint8Array(this.#bytes);
    }
  }
  finishInterface(Blob);
  makeCloneable(Blob, { clone: (blob: Blob) => makeBlob(blobBytes(blob), blob.type) });

  /** What a byte stream's controller gives where a reader brought its own buffer. */
  interface ByobRequest {
    respond(bytesWritten: number): void;
  }

  class File extends Blob {
    #name: string;
    #lastModified: number;

    constructor(fileBits: unknown, fileName: unknown, options: unknown = undefined) {
      const what = "Failed to construct 'File'";
      requireArguments(2, arguments.length, what);
      super();
      const parts = toSequence(fileBits, toPart, `${what}: The provided value`);
      this.#name = toUSVString(fileName);
      const dictionary = toDictionary(options, `${what}: The provided value`);
      const bag = toBag(dictionary);
      const lastModified = dictionary?.lastModified;
      this.#lastModified = lastModified === undefined ? Date.now() : toLongLong(lastModified);
      fill(this, joinParts(parts, bag), bag.type);
    }

    get name(): string {
      return this.#name;
    }

    get lastModified(): number {
      return this.#lastModified;
    }
  }
  finishInterface(File);
  makeCloneable(File, {
    clone: (file: File) => {
      const { name, lastModified, type } = file;
      const copy = new File([], name, { lastModified });
      fill(copy, blobBytes(file), type);
      return copy;
    },
  });

  function makeBlob(bytes: Uint8Array<ArrayBuffer>, type: string): Blob {
    const blob = new Blob();
    fill(blob, bytes, type);
    return blob;
  }

  function toPart(value: unknown): Part {
    return isBufferSource(value) || isBlob(value) ? value : toUSVString(value);
  }

  function toBag(dictionary: Record<string, unknown> | undefined): Bag {
    const endings = dictionary?.endings;
    const type = dictionary?.type;
    return {
      endings: endings === undefined ? 'transparent' : toEnum(endings, ['transparent', 'native'], 'endings'),
      type: type === undefined ? '' : normalizeType(toDOMString(type)),
    };
  }

  function normalizeType(type: string): string {
    return /^[\x20-\x7e]*$/.test(type) ? type.toLowerCase() : '';
  }

  function joinParts(parts: Part[], bag: Bag): Uint8Array<ArrayBuffer> {
    const pieces = parts.map((part) => bytesOf(part, bag));
    if (pieces.length === 1) return pieces[0]!;
    let size = 0;
    for (const piece of pieces) size += piece.length;
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  /** The bytes of one part, which nobody else can change. */
  function bytesOf(part: Part, bag: Bag): Uint8Array<ArrayBuffer> {
    if (typeof part === 'string') {
      const text = bag.endings === 'native' ? part.replace(/\r\n?/g, '\n') : part;
      return use('encoding').utf8Encode(text);
    }
    return isBlob(part) ? blobBytes(part) : copyBytes(part);
  }

  /** A position in `size` bytes, counted from the end where it is negative. */
  function relative(value: unknown, missing: number, size: number): number {
    if (value === undefined) return missing;
    const position = toLongLong(value, { clamp: true });
    return position < 0 ? Math.max(size + position, 0) : Math.min(position, size);
  }

  return { Blob, File, blobBytes, isBlob };
});
interface Families {
  blob: FamilyOf<typeof blobFamily>;
}
