// Owns WebSocket and CloseEvent (https://websockets.spec.whatwg.org/). To the host a WebSocket is a fetch
// whose two bodies carry messages, each with a head of five bytes: what it is, and its length. It ends
// with its request. Runs on the isolate's thread.

const webSocketFamily = define(
  'web_socket',
  { globals: { CloseEvent: 'class', WebSocket: 'class' } },
  (use, host) => {
    const { copyBytes, defineConstants, finishInterface, isBufferSource, requireArguments } = use('webidl');
    const { toDictionary, toSequence, toUnsignedShort, toUSVString } = use('webidl');
    const { EventTarget } = use('event_target');
    const { Event, dispatchTrusted } = use('events');
    const { defineEventHandler } = use('event_handlers');
    const { DOMException } = use('dom_exception');
    const { utf8Encode, TextDecoder } = use('encoding');
    type Bytes = Uint8Array<ArrayBuffer>;

    const CONNECTING = 0;
    const OPEN = 1;
    const CLOSING = 2;
    const CLOSED = 3;
    const TEXT = 1;
    const BINARY = 2;
    const CLOSE = 8;
    const HEAD_BYTES = 5;
    const BYTES_PER_WRITE = 64 * 1024;
    /** The longest message that the host carries. */
    const MAX_MESSAGE_BYTES = 1 << 20;
    const MAX_REASON_BYTES = 123;
    const NO_STATUS = 1005;
    const ABNORMAL = 1006;
    const TOO_BIG = 1009;
    const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

    class CloseEvent extends Event {
      #wasClean = false;
      #code = 0;
      #reason = '';
      constructor(type: unknown, init: unknown = undefined) {
        requireArguments(1, arguments.length, "Failed to construct 'CloseEvent'");
        super(type, init);
        const options = toDictionary(init);
        if (options === undefined) return;
        const { code, reason, wasClean } = options;
        if (code !== undefined) this.#code = toUnsignedShort(code);
        if (reason !== undefined) this.#reason = toUSVString(reason);
        this.#wasClean = Boolean(wasClean);
      }
      get wasClean(): boolean {
        return this.#wasClean;
      }
      get code(): number {
        return this.#code;
      }
      get reason(): string {
        return this.#reason;
      }
    }

    /** What is to be sent; that of a Blob has to be read before. */
    interface Outgoing {
      readonly kind: number;
      readonly size: number;
      readonly payload: Bytes | Promise<Bytes>;
    }

    class WebSocket extends EventTarget {
      #url: string;
      #protocol = '';
      #readyState = CONNECTING;
      #binaryType = 'blob';
      #bufferedAmount = 0;
      #outgoing: Outgoing[] = [];
      #isSending = false;
      #outStream = 0;
      #fetchId = 0;
      #source: HostSourceCore | null = null;

      constructor(url: unknown, protocols: unknown = undefined) {
        const what = "Failed to construct 'WebSocket'";
        requireArguments(1, arguments.length, what);
        const href = toSocketUrl(toUSVString(url), what);
        const wanted = toProtocols(protocols, what);
        super();
        this.#url = href;
        this.#outStream = host.streamOpen();
        const headers = wanted.length === 0 ? [] : ['sec-websocket-protocol', wanted.join(', ')];
        try {
          this.#fetchId = host.fetchStart('GET', href, headers, this.#outStream, 'error');
        } catch (error) {
          host.streamFail(this.#outStream, 'The WebSocket was not opened');
          throw error;
        }
        void this.#run();
      }

      get url(): string {
        return this.#url;
      }
      get readyState(): number {
        return this.#readyState;
      }
      get bufferedAmount(): number {
        return this.#bufferedAmount;
      }
      get extensions(): string {
        void this.#url;
        return '';
      }
      get protocol(): string {
        return this.#protocol;
      }
      get binaryType(): string {
        return this.#binaryType;
      }
      set binaryType(value: unknown) {
        void this.#binaryType;
        const type = `${value as string}`;
        if (type === 'blob' || type === 'arraybuffer') this.#binaryType = type;
      }

      send(data: unknown): void {
        const state = this.#readyState;
        const what = "Failed to execute 'send' on 'WebSocket'";
        requireArguments(1, arguments.length, what);
        const message = toOutgoing(data);
        if (state === CONNECTING) {
          throw new DOMException(`${what}: it is not open yet.`, 'InvalidStateError');
        }
        this.#bufferedAmount += message.size;
        if (state !== OPEN) return;
        if (message.size > MAX_MESSAGE_BYTES) this.#startClosing(TOO_BIG, 'The message is too long');
        else this.#enqueue(message);
      }

      close(code: unknown = undefined, reason: unknown = undefined): void {
        const state = this.#readyState;
        const what = "Failed to execute 'close' on 'WebSocket'";
        const status = code === undefined ? undefined : toUnsignedShort(code, { clamp: true });
        const text = reason === undefined ? '' : toUSVString(reason);
        if (status !== undefined && status !== 1000 && (status < 3000 || status > 4999)) {
          const why = `${what}: the code is ${status}, neither 1000 nor from 3000 to 4999.`;
          throw new DOMException(why, 'InvalidAccessError');
        }
        if (utf8Encode(text).byteLength > MAX_REASON_BYTES) {
          throw new DOMException(`${what}: the reason has more than 123 bytes.`, 'SyntaxError');
        }
        if (state === CONNECTING) {
          this.#readyState = CLOSING;
          host.fetchCancel(this.#fetchId);
          use('callbacks').settle(this.#fetchId, false, null);
        } else if (state === OPEN) {
          this.#startClosing(status, text);
        }
      }

      #startClosing(code: number | undefined, reason: string): void {
        this.#readyState = CLOSING;
        this.#enqueue({ kind: CLOSE, size: 0, payload: closePayload(code, reason) });
      }

      async #run(): Promise<void> {
        try {
          const { headers, body } = await use('callbacks').wait<HostFetchResult>(this.#fetchId);
          this.#source = new (use('streams').HostSource)(body);
          if (this.#readyState === CONNECTING) {
            this.#readyState = OPEN;
            this.#protocol = headers[1] ?? '';
            dispatchTrusted(this, new Event('open'));
            await this.#receive(this.#source);
            return;
          }
        } catch {
          // What went wrong is the host's business: guests learn that it did.
        }
        this.#end(ABNORMAL, '', false);
      }

      /** Hands on what arrives, until the connection ends. */
      async #receive(source: HostSourceCore): Promise<void> {
        let rest: Uint8Array = new Uint8Array(0);
        for (let chunk = await source.read(); chunk !== null; chunk = await source.read()) {
          rest = rest.byteLength === 0 ? chunk : use('streams').concatenate([rest, chunk]);
          for (let length = messageLength(rest); length >= 0; length = messageLength(rest)) {
            const kind = rest[0];
            const payload = rest.slice(HEAD_BYTES, HEAD_BYTES + length) as Bytes;
            rest = rest.subarray(HEAD_BYTES + length);
            if (kind === CLOSE) {
              this.#ended(payload);
              return;
            }
            this.#deliver(kind, payload);
          }
        }
        this.#end(ABNORMAL, '', false);
      }

      #deliver(kind: number, payload: Bytes): void {
        if (this.#readyState !== OPEN) return;
        const { origin } = new (use('url').URL)(this.#url);
        let data: unknown = payload.buffer;
        if (kind === TEXT) data = new TextDecoder('utf-8', { ignoreBOM: true }).decode(payload);
        else if (this.#binaryType === 'blob') data = new (use('blob').Blob)([payload]);
        dispatchTrusted(this, use('event_types').createMessageEvent('message', { data, origin }));
      }

      #ended(payload: Bytes): void {
        const code = payload.byteLength < 2 ? NO_STATUS : payload[0] * 256 + payload[1];
        this.#end(code, new TextDecoder().decode(payload.subarray(2)), true);
      }

      /** Closes what the host has of it, and says so. */
      #end(code: number, reason: string, wasClean: boolean): void {
        this.#readyState = CLOSED;
        this.#source?.cancel();
        host.streamClose(this.#outStream);
        if (!wasClean) dispatchTrusted(this, new Event('error'));
        dispatchTrusted(this, new CloseEvent('close', { code, reason, wasClean }));
      }

      #enqueue(message: Outgoing): void {
        this.#outgoing.push(message);
        if (this.#isSending) return;
        this.#isSending = true;
        void this.#sendAll();
      }

      /** Gives the host what is to be sent, in order and at its pace. */
      async #sendAll(): Promise<void> {
        await undefined;
        try {
          for (let next = this.#outgoing.shift(); next !== undefined; next = this.#outgoing.shift()) {
            const message = frame(next.kind, await next.payload);
            for (let from = 0; from < message.byteLength; from += BYTES_PER_WRITE) {
              const outcome = host.streamWrite(this.#outStream, message, from);
              if (outcome < 0) return;
              if (outcome > 0) await use('callbacks').wait<void>(outcome);
            }
            this.#bufferedAmount -= next.size;
          }
          this.#isSending = false;
        } catch {
          host.streamClose(this.#outStream);
        }
      }
    }

    /** How long the payload of the next message is; -1 where it is not complete. */
    function messageLength(bytes: Uint8Array): number {
      if (bytes.byteLength < HEAD_BYTES) return -1;
      const length = bytes[1] * 2 ** 24 + bytes[2] * 2 ** 16 + bytes[3] * 2 ** 8 + bytes[4];
      return bytes.byteLength < HEAD_BYTES + length ? -1 : length;
    }

    function frame(kind: number, payload: Bytes): Bytes {
      const { byteLength } = payload;
      const message = new Uint8Array(HEAD_BYTES + byteLength);
      message.set([kind, byteLength >>> 24, byteLength >>> 16, byteLength >>> 8, byteLength]);
      message.set(payload, HEAD_BYTES);
      return message;
    }

    function closePayload(code: number | undefined, reason: string): Bytes {
      if (code === undefined && reason === '') return new Uint8Array(0);
      const text = utf8Encode(reason);
      const status = code ?? 1000;
      const payload = new Uint8Array(2 + text.byteLength);
      payload.set([status >>> 8, status]);
      payload.set(text, 2);
      return payload;
    }

    function toOutgoing(data: unknown): Outgoing {
      if (use('blob').isBlob(data)) {
        const payload = (data as unknown as { bytes(): Promise<Bytes> }).bytes();
        return { kind: BINARY, size: (data as unknown as { size: number }).size, payload };
      }
      const isText = !isBufferSource(data);
      const payload = isText ? (utf8Encode(toUSVString(data)) as Bytes) : copyBytes(data);
      return { kind: isText ? TEXT : BINARY, size: payload.byteLength, payload };
    }

    function toSocketUrl(text: string, what: string): string {
      const parsed = use('url').parseHref(text);
      if (parsed === null) throw new DOMException(`${what}: '${text}' is not a valid URL.`, 'SyntaxError');
      const href = parsed.replace(/^http/, 'ws');
      if (!/^wss?:/.test(href)) {
        throw new DOMException(`${what}: the scheme of ${href} is neither ws nor wss.`, 'SyntaxError');
      }
      if (href.includes('#')) throw new DOMException(`${what}: ${href} has a fragment.`, 'SyntaxError');
      return href;
    }

    function toProtocols(value: unknown, what: string): string[] {
      if (value === undefined) return [];
      const isList = typeof value === 'object' && value !== null && Symbol.iterator in value;
      const protocols = isList ? toSequence(value, toUSVString) : [toUSVString(value)];
      if (protocols.some((one) => !token.test(one)) || new Set(protocols).size !== protocols.length) {
        throw new DOMException(`${what}: a subprotocol is invalid or named twice.`, 'SyntaxError');
      }
      return protocols;
    }

    for (const type of ['open', 'message', 'error', 'close']) defineEventHandler(WebSocket, type);
    defineConstants(WebSocket, { CONNECTING, OPEN, CLOSING, CLOSED });
    finishInterface(CloseEvent);
    finishInterface(WebSocket);
    return { CloseEvent, WebSocket };
  },
);
interface Families {
  web_socket: FamilyOf<typeof webSocketFamily>;
}
