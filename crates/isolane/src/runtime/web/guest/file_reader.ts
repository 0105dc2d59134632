// Owns FileReader (W3C File API, section 6.2) and ProgressEvent (https://xhr.spec.whatwg.org/#progressevent).
// A blob's bytes are in memory, so a read is one step; the events around it are tasks, as for a file.
// Runs on the isolate's thread.

const fileReaderFamily = define(
  'file_reader',
  { globals: { FileReader: 'class', ProgressEvent: 'class' } },
  (use, host) => {
    const { defineConstants, finishInterface, requireArguments, toDictionary, toDOMString, toDouble } =
      use('webidl');
    const { EventTarget } = use('event_target');
    const { Event, dispatchTrusted } = use('events');
    const { defineEventHandler } = use('event_handlers');
    const { blobBytes, isBlob } = use('blob');
    type Blob = InstanceType<Families['blob']['Blob']>;

    class ProgressEvent extends Event {
      #lengthComputable = false;
      #loaded = 0;
      #total = 0;

      constructor(type: unknown, init: unknown = undefined) {
        requireArguments(1, arguments.length, "Failed to construct 'ProgressEvent'");
        super(type, init);
        const options = toDictionary(init);
        if (options === undefined) return;
        const { lengthComputable, loaded, total } = options;
        this.#lengthComputable = Boolean(lengthComputable);
        if (loaded !== undefined) this.#loaded = toDouble(loaded, 'loaded');
        if (total !== undefined) this.#total = toDouble(total, 'total');
      }

      get lengthComputable(): boolean {
        return this.#lengthComputable;
      }
      get loaded(): number {
        return this.#loaded;
      }
      get total(): number {
        return this.#total;
      }
    }

    const EMPTY = 0;
    const LOADING = 1;
    const DONE = 2;

    class FileReader extends EventTarget {
      #state = EMPTY;
      #result: string | ArrayBuffer | null = null;
      #error: object | null = null;
      /** The next event's task; an abort takes it back. */
      #task = 0;

      get readyState(): number {
        return this.#state;
      }
      get result(): string | ArrayBuffer | null {
        return this.#result;
      }
      get error(): object | null {
        return this.#error;
      }

      readAsArrayBuffer(blob: unknown): void {
        void this.#state;
        const given = toBlob(blob, 'readAsArrayBuffer', arguments.length);
        this.#read(given, (bytes) => bytes.slice().buffer);
      }

      readAsBinaryString(blob: unknown): void {
        void this.#state;
        const given = toBlob(blob, 'readAsBinaryString', arguments.length);
        this.#read(given, use('encoding').isomorphicDecode);
      }

      readAsText(blob: unknown, encoding: unknown = undefined): void {
        void this.#state;
        const given = toBlob(blob, 'readAsText', arguments.length);
        const label = encoding === undefined ? undefined : toDOMString(encoding);
        const { type } = given;
        this.#read(given, (bytes) => decode(bytes, label, type));
      }

      readAsDataURL(blob: unknown): void {
        void this.#state;
        const given = toBlob(blob, 'readAsDataURL', arguments.length);
        const type = given.type || 'application/octet-stream';
        const { isomorphicDecode } = use('encoding');
        this.#read(given, (bytes) => `data:${type};base64,${host.base64Encode(isomorphicDecode(bytes))}`);
      }

      abort(): void {
        const wasLoading = this.#state === LOADING;
        this.#result = null;
        if (!wasLoading) return;
        this.#state = DONE;
        use('tasks').cancelTask(this.#task);
        this.#fire('abort', 0, 0);
        this.#fireEnd(0, 0);
      }

      #read(blob: Blob, convert: (bytes: Uint8Array<ArrayBuffer>) => string | ArrayBuffer): void {
        if (this.#state === LOADING) {
          const { DOMException } = use('dom_exception');
          throw new DOMException('The FileReader is reading already.', 'InvalidStateError');
        }
        this.#state = LOADING;
        this.#result = null;
        this.#error = null;
        const bytes = blobBytes(blob);
        const total = bytes.length;
        this.#queue(() => {
          this.#queue(() => {
            if (total > 0) this.#fire('progress', total, total);
            if (this.#state === LOADING) this.#queue(() => this.#finish(bytes, convert));
          });
          this.#fire('loadstart', 0, total);
        });
      }

      #queue(steps: () => void): void {
        this.#task = use('tasks').queueTask(steps);
      }

      #finish(
        bytes: Uint8Array<ArrayBuffer>,
        convert: (bytes: Uint8Array<ArrayBuffer>) => string | ArrayBuffer,
      ): void {
        const { length } = bytes;
        this.#state = DONE;
        try {
          this.#result = convert(bytes);
        } catch {
          const { DOMException } = use('dom_exception');
          this.#error = new DOMException('The blob is too large to be read.', 'NotReadableError');
        }
        this.#fire(this.#error === null ? 'load' : 'error', length, length);
        this.#fireEnd(length, length);
      }

      /** A listener may have begun another read, which then has an end of its own. */
      #fireEnd(loaded: number, total: number): void {
        if (this.#state !== LOADING) this.#fire('loadend', loaded, total);
      }

      #fire(type: string, loaded: number, total: number): void {
        dispatchTrusted(this, new ProgressEvent(type, { lengthComputable: total > 0, loaded, total }));
      }
    }

    function toBlob(value: unknown, method: string, given: number): Blob {
      const what = `Failed to execute '${method}' on 'FileReader'`;
      requireArguments(1, given, what);
      if (!isBlob(value)) throw new TypeError(`${what}: parameter 1 is not of type 'Blob'.`);
      return value;
    }

    /** The File API's "package data" for text: the given label, the type's charset, else UTF-8. */
    function decode(bytes: Uint8Array, label: string | undefined, type: string): string {
      let encoding = label === undefined ? null : host.textEncoding(label);
      if (encoding === null) {
        const charset = use('mime_type').parseMime(type)?.parameters.get('charset');
        encoding = charset === undefined ? null : host.textEncoding(charset);
      }
      const { decodeWith, encodingOfMark } = use('encoding');
      return decodeWith(encodingOfMark(bytes) ?? encoding?.[0] ?? 0, bytes);
    }

    defineConstants(FileReader, { EMPTY, LOADING, DONE });
    for (const type of ['loadstart', 'progress', 'load', 'abort', 'error', 'loadend']) {
      defineEventHandler(FileReader, type);
    }
    finishInterface(ProgressEvent);
    finishInterface(FileReader);
    return { FileReader, ProgressEvent };
  },
);
interface Families {
  file_reader: FamilyOf<typeof fileReaderFamily>;
}
