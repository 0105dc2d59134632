// The class Request (Fetch standard, section 5.4), and the requests that the runtime hands to guests.
// Runs in a guest's context, on whichever thread has its isolate entered.

type RequestFacade = InstanceType<Families['request']['Request']>;
type BlobFacade = InstanceType<Families['blob']['Blob']>;
type RequestSignal = AbortSignalObject | null | (() => AbortSignalObject);

/** What a server runtime only carries along. */
interface RequestSettings {
  cache: string;
  credentials: string;
  integrity: string;
  keepalive: boolean;
  mode: string;
  redirect: 'follow' | 'error' | 'manual';
  referrer: string;
  referrerPolicy: string;
}

/** A request as `fetch` sends it. */
interface RequestParts {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly string[];
  readonly body: HostBody;
  readonly redirect: 'follow' | 'error' | 'manual';
  readonly signal: AbortSignalObject | null;
  /** What a blob: URL stood for when the request was made. */
  readonly blob: BlobFacade | undefined;
}

const requestFamily = define('request', { globals: { Request: 'class' } }, (use) => {
  const { finishInterface, internal, requireArguments, toDictionary, toUSVString } = use('webidl');
  const { BodyCell, extractObject, installBody, textType, toCell } = use('body');

  const noHeaders: readonly string[] = [];
  const defaults: Readonly<RequestSettings> = {
    cache: 'default',
    credentials: 'same-origin',
    integrity: '',
    keepalive: false,
    mode: 'cors',
    redirect: 'follow',
    referrer: 'about:client',
    referrerPolicy: '',
  };

  let isRequest!: (value: unknown) => value is Request;
  let requestParts!: (request: Request) => RequestParts;

  class Request {
    #method: string;
    #url: string;
    /** A flat list until the object is asked for. */
    #headers: readonly string[] | HeadersFacade;
    #body: Body;
    /** A function until somebody wants the signal. */
    #signal: RequestSignal;
    #settings: Readonly<RequestSettings>;
    #blob: BlobFacade | undefined = undefined;

    constructor(
      input: unknown,
      init: unknown = undefined,
      url = '',
      headers: readonly string[] = noHeaders,
      body: Body = null,
      signal: RequestSignal = null,
      settings: Readonly<RequestSettings> = defaults,
    ) {
      if (input === internal) {
        this.#method = init as string;
        this.#url = url;
        this.#headers = headers;
        this.#body = body;
        this.#signal = signal;
        this.#settings = settings;
        return;
      }
      requireArguments(1, arguments.length, "Failed to construct 'Request'");
      const from = isRequest(input) ? input : undefined;
      this.#method = from === undefined ? 'GET' : from.#method;
      this.#url = from === undefined ? toHref(input) : from.#url;
      this.#blob = from === undefined ? resolveBlob(this.#url) : from.#blob;
      this.#headers = from === undefined ? noHeaders : from.#list().slice();
      this.#signal = from === undefined ? null : following(from.#signal);
      this.#settings = from === undefined ? defaults : from.#settings;
      this.#body = null;
      const initialized = init !== undefined && this.#initialize(init, from);
      if (from !== undefined && !initialized) this.#takeBody(from);
    }

    get cache(): string {
      return this.#settings.cache;
    }

    get credentials(): string {
      return this.#settings.credentials;
    }

    get destination(): string {
      void this.#settings;
      return '';
    }

    get duplex(): string {
      void this.#settings;
      return 'half';
    }

    get headers(): HeadersFacade {
      if (Array.isArray(this.#headers)) {
        this.#headers = use('headers').headersFromFlat(this.#headers as string[], 'request');
      }
      return this.#headers as HeadersFacade;
    }

    get integrity(): string {
      return this.#settings.integrity;
    }

    get isHistoryNavigation(): boolean {
      void this.#settings;
      return false;
    }

    get isReloadNavigation(): boolean {
      void this.#settings;
      return false;
    }

    get keepalive(): boolean {
      return this.#settings.keepalive;
    }

    get method(): string {
      return this.#method;
    }

    get mode(): string {
      return this.#settings.mode;
    }

    get redirect(): string {
      return this.#settings.redirect;
    }

    get referrer(): string {
      return this.#settings.referrer;
    }

    get referrerPolicy(): string {
      return this.#settings.referrerPolicy;
    }

    get signal(): AbortSignalObject {
      this.#signal = resolveSignal(this.#signal) ?? use('abort').createSignal();
      return this.#signal;
    }

    get url(): string {
      return this.#url;
    }

    clone(): Request {
      const cell = (this.#body = toCell(this.#body));
      if (cell.isUnusable) throw new TypeError('A request whose body is used or locked cannot be cloned');
      const signal = following((this.#signal = resolveSignal(this.#signal)));
      const copy = new Request(
        internal,
        this.#method,
        this.#url,
        this.#list().slice(),
        cell.clone(),
        signal,
        this.#settings,
      );
      copy.#blob = this.#blob;
      return copy;
    }

    #list(): readonly string[] {
      const headers = this.#headers;
      return Array.isArray(headers)
        ? (headers as readonly string[])
        : use('headers').flatOf(headers as HeadersFacade);
    }

    /** Takes over a RequestInit; answers whether it had a body. */
    #initialize(value: unknown, from: Request | undefined): boolean {
      const members = toDictionary(value, 'The init of a request');
      if (members === undefined) return false;
      const init = use('request_init').toRequestInit(members, this.#settings);
      this.#settings = init.settings;
      if (init.method !== undefined) this.#method = init.method;
      if (this.#settings.mode === 'no-cors' && !isSafelisted(this.#method)) {
        throw new TypeError(`The method ${this.#method} needs another mode than 'no-cors'`);
      }
      if (init.signal !== undefined) this.#signal = following(init.signal);
      if (init.headers !== undefined) this.#headers = init.headers;
      const { body } = init;
      const hasBody = body !== undefined && body !== null;
      const inherits = from !== undefined && from.#body !== null && !toCell(from.#body).isNull;
      if ((hasBody || inherits) && (this.#method === 'GET' || this.#method === 'HEAD')) {
        throw new TypeError(`A request with method ${this.#method} cannot have a body`);
      }
      if (!hasBody) return false;
      const extracted = typeof body === 'string' ? { body, type: textType } : extractObject(body);
      if (extracted.body instanceof BodyCell && init.duplex !== 'half') {
        throw new TypeError("A request with a stream as its body needs duplex: 'half'");
      }
      if (extracted.body instanceof BodyCell && this.#settings.keepalive) {
        throw new TypeError('A request with a stream as its body cannot be kept alive');
      }
      this.#body = extracted.body;
      if (extracted.type !== null && use('headers').getFrom(this.#list(), 'content-type') === null) {
        this.#headers = [...this.#list(), 'content-type', extracted.type];
      }
      return true;
    }

    #takeBody(from: Request): void {
      if (from.#body === null) return;
      if (typeof from.#body === 'string') {
        this.#body = from.#body;
        from.#body = undefined;
        return;
      }
      const cell = (from.#body = toCell(from.#body));
      if (cell.isUnusable) {
        throw new TypeError('The body of the request has been used already, or its stream is locked');
      }
      this.#body = cell.move();
    }

    static {
      isRequest = (value): value is Request =>
        typeof value === 'object' && value !== null && #method in value;

      requestParts = (request) => {
        const cell = (request.#body = toCell(request.#body));
        return {
          method: request.#method,
          url: request.#url,
          headers: request.#list(),
          body: cell.takeForHost(),
          redirect: request.#settings.redirect,
          blob: request.#blob,
          signal: (request.#signal = resolveSignal(request.#signal)),
        };
      };

      installBody(Request, {
        cellOf: (request) => (request.#body = toCell(request.#body)),
        contentTypeOf: (request) => use('headers').getFrom(request.#list(), 'content-type'),
      });
    }
  }
  finishInterface(Request);

  function toHref(input: unknown): string {
    const { parseHref, URL } = use('url');
    const href = parseHref(toUSVString(input));
    if (href === null) throw new TypeError('The URL of a request must be valid and absolute');
    if (href.includes('@')) {
      const { username, password } = new URL(href);
      if (username !== '' || password !== '') {
        throw new TypeError('The URL of a request must not contain credentials');
      }
    }
    return href;
  }

  function isSafelisted(method: string): boolean {
    return method === 'GET' || method === 'HEAD' || method === 'POST';
  }

  function resolveBlob(href: string): BlobFacade | undefined {
    return href.startsWith('blob:') ? use('blob_urls').resolveBlobUrl(href) : undefined;
  }

  function resolveSignal(signal: RequestSignal): AbortSignalObject | null {
    return typeof signal === 'function' ? signal() : signal;
  }

  /** A signal that is aborted with `signal`, made when it is asked for. */
  function following(signal: RequestSignal): RequestSignal {
    if (signal === null) return null;
    return () => use('abort').createDependentSignal([resolveSignal(signal)!]);
  }

  /** The request of a fetch event. Nothing of it is parsed or copied before a guest looks at it. */
  function requestFromHost(
    method: string,
    url: string,
    headers: readonly string[],
    body: null | string | Uint8Array | number,
    signal: RequestSignal,
  ): Request {
    const source = typeof body === 'number' ? new (use('streams').HostSource)(body) : body;
    return new Request(internal, method, url, headers, source, signal);
  }

  return { Request, isRequest, requestFromHost, requestParts };
});
interface Families {
  request: FamilyOf<typeof requestFamily>;
}
