// Owns EventSource (https://html.spec.whatwg.org/#server-sent-events): a fetch whose body is a stream of
// events, and that is made again when it ends. It ends with its request. Runs on the isolate's thread.

const eventSourceFamily = define('event_source', { globals: { EventSource: 'class' } }, (use) => {
  const { defineConstants, finishInterface, requireArguments, toDictionary, toUSVString } = use('webidl');
  const { EventTarget } = use('event_target');
  const { Event, dispatchTrusted } = use('events');
  const { defineEventHandler } = use('event_handlers');
  const { DOMException } = use('dom_exception');
  type SomeResponse = ResponseFacade & { readonly body: AsyncIterable<Uint8Array<ArrayBuffer>> | null };

  const CONNECTING = 0;
  const OPEN = 1;
  const CLOSED = 2;
  const DEFAULT_DELAY_MS = 3000;

  /** The lines of a stream of events, and what they make of one (#event-stream-interpretation). */
  class Parser {
    #decoder = new (use('encoding').TextDecoder)();
    #rest = '';
    /** Whether the last character was a carriage return: a line feed after it belongs to it. */
    #endedInReturn = false;
    #type = '';
    #data = '';
    #hasData = false;
    #nextId: string;
    /** The id of the last event that was complete. */
    lastEventId: string;
    retryMs: number | null = null;

    constructor(lastEventId: string) {
      this.#nextId = this.lastEventId = lastEventId;
    }

    /** Takes more bytes; calls `dispatch` for each event that they complete. */
    feed(bytes: Uint8Array<ArrayBuffer>, dispatch: (type: string, data: string) => void): void {
      let text = this.#decoder.decode(bytes, { stream: true });
      if (text === '') return;
      if (this.#endedInReturn && text[0] === '\n') text = text.slice(1);
      this.#endedInReturn = text === '' ? false : text.at(-1) === '\r';
      const lines = (this.#rest + text).split(/\r\n|\n|\r/);
      this.#rest = lines.pop()!;
      for (const line of lines) {
        if (line !== '') this.#field(line);
        else this.#dispatch(dispatch);
      }
    }

    #field(line: string): void {
      const colon = line.indexOf(':');
      if (colon === 0) return;
      const name = colon < 0 ? line : line.slice(0, colon);
      let value = colon < 0 ? '' : line.slice(colon + 1);
      if (value.startsWith(' ')) value = value.slice(1);
      if (name === 'event') this.#type = value;
      else if (name === 'data') {
        this.#data += this.#hasData ? `\n${value}` : value;
        this.#hasData = true;
      } else if (name === 'id' && !value.includes('\0')) this.#nextId = value;
      else if (name === 'retry' && /^[0-9]+$/.test(value)) this.retryMs = Number(value);
    }

    #dispatch(dispatch: (type: string, data: string) => void): void {
      const [type, data, hasData] = [this.#type, this.#data, this.#hasData];
      this.#type = '';
      this.#data = '';
      this.#hasData = false;
      this.lastEventId = this.#nextId;
      if (hasData) dispatch(type === '' ? 'message' : type, data);
    }
  }

  class EventSource extends EventTarget {
    #url: string;
    #withCredentials: boolean;
    #readyState = CONNECTING;
    #lastEventId = '';
    #delayMs = DEFAULT_DELAY_MS;
    #abort = new (use('abort').AbortController)();

    constructor(url: unknown, init: unknown = undefined) {
      const what = "Failed to construct 'EventSource'";
      requireArguments(1, arguments.length, what);
      const text = toUSVString(url);
      const options = toDictionary(init, `${what}: parameter 2`);
      const href = use('url').parseHref(text);
      if (href === null) throw new DOMException(`${what}: '${text}' is not a valid URL.`, 'SyntaxError');
      super();
      this.#url = href;
      this.#withCredentials = Boolean(options?.withCredentials);
      void this.#connect();
    }

    get url(): string {
      return this.#url;
    }
    get withCredentials(): boolean {
      return this.#withCredentials;
    }
    get readyState(): number {
      return this.#readyState;
    }
    close(): void {
      this.#readyState = CLOSED;
      this.#abort.abort();
    }

    async #connect(): Promise<void> {
      while (this.#readyState !== CLOSED) {
        const isFatal = await this.#readOnce();
        if (this.#isClosed()) return;
        if (isFatal) {
          this.#readyState = CLOSED;
          dispatchTrusted(this, new Event('error'));
          return;
        }
        this.#readyState = CONNECTING;
        dispatchTrusted(this, new Event('error'));
        if (this.#isClosed()) return;
        await pause(this.#delayMs, this.#abort.signal);
      }
    }

    /** Whether it was closed meanwhile, which a check of a field's type does not foresee. */
    #isClosed(): boolean {
      return this.#readyState === CLOSED;
    }

    /** Reads one response to its end; true where no other is to be asked for. */
    async #readOnce(): Promise<boolean> {
      const headers: Record<string, string> = { accept: 'text/event-stream', 'cache-control': 'no-store' };
      if (this.#lastEventId !== '') headers['last-event-id'] = toByteText(this.#lastEventId);
      let response: SomeResponse;
      try {
        const { signal } = this.#abort;
        response = (await use('fetch').fetch(this.#url, { headers, signal })) as SomeResponse;
      } catch {
        return false;
      }
      if (this.#isClosed()) return true;
      const type = response.headers.get('content-type') ?? '';
      if (response.status !== 200 || type.split(';', 1)[0].trim().toLowerCase() !== 'text/event-stream') {
        this.#abort.abort();
        return true;
      }
      this.#readyState = OPEN;
      dispatchTrusted(this, new Event('open'));
      await this.#read(response);
      return false;
    }

    async #read(response: SomeResponse): Promise<void> {
      const parser = new Parser(this.#lastEventId);
      const { origin } = new (use('url').URL)(response.url || this.#url);
      try {
        for await (const chunk of response.body ?? []) {
          parser.feed(chunk, (type, data) => {
            if (this.#isClosed()) return;
            const parts = { data, origin, lastEventId: parser.lastEventId };
            dispatchTrusted(this, use('event_types').createMessageEvent(type, parts));
          });
          this.#lastEventId = parser.lastEventId;
          if (parser.retryMs !== null) this.#delayMs = parser.retryMs;
          if (this.#isClosed()) return;
        }
      } catch {
        // It is asked for again, as after a response that ended.
      }
    }
  }

  /** The bytes of a text in UTF-8, each as a character, as headers have them. */
  function toByteText(text: string): string {
    const { isomorphicDecode, utf8Encode } = use('encoding');
    return isomorphicDecode(utf8Encode(text));
  }

  /** Waits, but no longer than until the signal. */
  async function pause(
    delayMs: number,
    signal: InstanceType<Families['abort']['AbortSignal']>,
  ): Promise<void> {
    try {
      await use('scheduler').waitUntil(delayMs, signal);
    } catch {
      // It was closed, which its loop sees.
    }
  }

  for (const type of ['open', 'message', 'error']) defineEventHandler(EventSource, type);
  defineConstants(EventSource, { CONNECTING, OPEN, CLOSED });
  finishInterface(EventSource);
  return { EventSource };
});
interface Families {
  event_source: FamilyOf<typeof eventSourceFamily>;
}
