// Bodies of requests and responses (Fetch standard, sections 2.2.4 and 5.2 to 5.3): extraction, and the
// members that both classes have. A body stays what it was made of until somebody asks for its stream.
// Runs in a guest's context, on whichever thread has its isolate entered.

/** What a body is made of. */
type BodySource = string | Uint8Array | HostSourceCore;
/** What a Request or Response holds: none, one nobody touched, one looked at, or (undefined) one used up. */
type Body = null | BodySource | BodyCellCore | undefined;
/** A body as the host takes it. */
type HostBody = null | string | Uint8Array | ReadableFacade;
type BodyCellCore = InstanceType<Families['body']['BodyCell']>;

/** How the shared members reach the private fields of a class. */
interface BodyHolder<T extends object> {
  /** Also checks the brand. */
  cellOf(holder: T): BodyCellCore;
  contentTypeOf(holder: T): string | null;
}

const bodyFamily = define('body', { globals: {} }, (use) => {
  const parseJson = JSON.parse;
  const textType = 'text/plain;charset=UTF-8';

  /** A body that has been looked at, and whether it has been used up. */
  class BodyCell {
    #source: BodySource | null;
    #stream: ReadableCore | undefined = undefined;
    #used: boolean;

    constructor(source: BodySource | null | undefined) {
      this.#source = source ?? null;
      this.#used = source === undefined;
    }

    static ofStream(stream: ReadableCore): BodyCell {
      const cell = new BodyCell(null);
      cell.#stream = stream;
      return cell;
    }

    get isNull(): boolean {
      return this.#source === null && this.#stream === undefined && !this.#used;
    }

    get isUsed(): boolean {
      return this.#stream === undefined ? this.#used : this.#stream.disturbed;
    }

    get isUnusable(): boolean {
      return this.isUsed || this.#stream?.locked === true;
    }

    get stream(): ReadableFacade {
      return use('readable_stream').facadeOf(this.#openStream());
    }

    /** The whole body as text, without a byte order mark. */
    text(): Promise<string> {
      const source = this.#source;
      if (this.#stream === undefined && typeof source === 'string') {
        this.#markUsed();
        const text = source.charCodeAt(0) === 0xfeff ? source.slice(1) : source;
        return Promise.resolve(text.toWellFormed());
      }
      if (this.isNull) return Promise.resolve('');
      return this.bytes().then((bytes) => use('encoding').utf8Decode(bytes));
    }

    /** The whole body; the bytes are the caller's own. */
    bytes(): Promise<Uint8Array> {
      if (this.isNull) return Promise.resolve(new Uint8Array(0));
      if (this.#stream !== undefined) return use('streams').readAll(this.#stream);
      const source = this.#source!;
      this.#markUsed();
      if (typeof source === 'string') return Promise.resolve(use('encoding').utf8Encode(source));
      return source instanceof Uint8Array ? Promise.resolve(source) : source.readAll();
    }

    /** A second body with the same content. */
    clone(): BodyCell {
      const source = this.#source;
      if (this.#stream === undefined && !isHostSource(source)) {
        return new BodyCell(source instanceof Uint8Array ? source.slice() : source);
      }
      const [own, other] = use('readable_tee').tee(this.#openStream(), true);
      this.#stream = own;
      this.#source = null;
      return BodyCell.ofStream(other);
    }

    /** Uses the body up and gives it as the host takes it. */
    takeForHost(): HostBody {
      const source = this.#source;
      if (this.#stream !== undefined || isHostSource(source)) return this.stream;
      if (!this.isNull) this.#markUsed();
      return source;
    }

    /** Moves the body to a new cell and leaves this one used. */
    move(): BodyCell {
      if (this.#stream !== undefined) return BodyCell.ofStream(passOn(this.#stream));
      const moved = new BodyCell(this.#source);
      if (!this.isNull) this.#markUsed();
      return moved;
    }

    #markUsed(): void {
      this.#used = true;
      this.#source = null;
    }

    #openStream(): ReadableCore {
      if (this.#stream !== undefined) return this.#stream;
      const { endBytes, streamOfBytes } = use('streams');
      const source = this.#source;
      if (isHostSource(source)) {
        this.#stream = source.stream;
      } else if (source === null) {
        this.#stream = streamOfBytes(new Uint8Array(0));
        endBytes(this.#stream);
      } else {
        this.#stream = streamOfBytes(
          typeof source === 'string' ? use('encoding').utf8Encode(source) : source,
        );
      }
      this.#stream.disturbed = this.#used;
      this.#source = null;
      return this.#stream;
    }
  }

  function isHostSource(source: unknown): source is HostSourceCore {
    return source !== null && typeof source === 'object' && !(source instanceof Uint8Array);
  }

  /** A stream with what is left of `stream`, which is locked from now on. */
  function passOn(stream: ReadableCore): ReadableCore {
    const { TransformStream } = use('transform_stream');
    const through = new TransformStream();
    const { coreOf } = use('readable_stream');
    const { writableCoreOf } = use('writable_stream');
    const { pipe, toPipeOptions } = use('readable_pipe');
    use('stream_support').markHandled(
      pipe(stream, writableCoreOf(through.writable), toPipeOptions(undefined)),
    );
    return coreOf(through.readable);
  }

  /** The cell of a body, made when it is first looked at. */
  function toCell(body: Body): BodyCell {
    return body instanceof BodyCell ? body : new BodyCell(body);
  }

  /** Web IDL's BodyInit and the Fetch standard's "extract a body", for all but strings. */
  function extractObject(value: unknown): { body: BodySource | BodyCell; type: string | null } {
    if (typeof value === 'object' && value !== null) {
      const { isBufferSource, copyBytes } = use('webidl');
      if (isBufferSource(value)) return { body: copyBytes(value), type: null };
      const stream = use('readable_stream').coreIn(value);
      if (stream !== undefined) {
        if (stream.disturbed || stream.locked) {
          throw new TypeError('The stream of the body is locked or has been read from');
        }
        return { body: BodyCell.ofStream(stream), type: null };
      }
      const { blobBytes, isBlob } = use('blob');
      if (isBlob(value)) return { body: blobBytes(value).slice(), type: value.type || null };
      if (use('form_data').isFormData(value)) return use('multipart').encodeForm(value);
      if (value instanceof use('url').URLSearchParams) {
        return { body: value.toString(), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
      }
    }
    return { body: use('webidl').toUSVString(value), type: textType };
  }

  /** Adds the members of the mixin Body to a class; call it before `finishInterface`. */
  function installBody<T extends object>(C: { readonly prototype: T }, holder: BodyHolder<T>): void {
    const { cellOf, contentTypeOf } = holder;

    /** Runs `consume` on a body that may be used; what is thrown becomes a rejection. */
    function consuming<R>(self: T, consume: (cell: BodyCell) => Promise<R>): Promise<R> {
      try {
        const cell = cellOf(self);
        if (cell.isUnusable) throw new TypeError('The body has been used already, or its stream is locked');
        return consume(cell);
      } catch (error) {
        return Promise.reject(error);
      }
    }

    const members = {
      get body(): ReadableFacade | null {
        const cell = cellOf(this as unknown as T);
        return cell.isNull ? null : cell.stream;
      },
      get bodyUsed(): boolean {
        return cellOf(this as unknown as T).isUsed;
      },
      arrayBuffer(this: T): Promise<ArrayBuffer> {
        return consuming(this, (cell) => cell.bytes().then(bufferOf));
      },
      blob(this: T): Promise<object> {
        return consuming(this, (cell) =>
          cell.bytes().then((bytes) => {
            const { extractMime, serializeMime } = use('mime_type');
            const mime = extractMime(contentTypeOf(this));
            return new (use('blob').Blob)([bytes], { type: mime === null ? '' : serializeMime(mime) });
          }),
        );
      },
      bytes(this: T): Promise<Uint8Array> {
        return consuming(this, (cell) => cell.bytes());
      },
      formData(this: T): Promise<FormDataFacade> {
        return consuming(this, (cell) =>
          cell.bytes().then((bytes) => use('multipart').decodeForm(bytes, contentTypeOf(this))),
        );
      },
      json(this: T): Promise<unknown> {
        return consuming(this, (cell) => cell.text().then((text) => parseJson(text)));
      },
      text(this: T): Promise<string> {
        return consuming(this, (cell) => cell.text());
      },
    };
    Object.defineProperties(C.prototype, Object.getOwnPropertyDescriptors(members));
  }

  function bufferOf(bytes: Uint8Array): ArrayBuffer {
    const buffer = bytes.buffer as ArrayBuffer;
    if (bytes.byteLength === buffer.byteLength) return buffer;
    return buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  }

  return { BodyCell, extractObject, installBody, textType, toCell };
});
interface Families {
  body: FamilyOf<typeof bodyFamily>;
}
