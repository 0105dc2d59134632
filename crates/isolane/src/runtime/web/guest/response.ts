// The class Response (Fetch standard, section 5.5), and how the runtime takes what a guest answered.
// Runs in a guest's context, on whichever thread has its isolate entered.

type ResponseFacade = InstanceType<Families['response']['Response']>;

/** A response as the host takes it. */
interface ResponseParts {
  status: number;
  statusText: string;
  /** Names in lower case and values in turn, or the number of a list that the host has too (serve.rs). */
  headers: number | readonly string[];
  body: HostBody;
}

/** What the runtime reads of a response, whatever a guest has made of the class. */
interface ResponseFacts {
  readonly contentType: string | null;
  readonly isOk: boolean;
  /** Uses the body up; throws where it was used already. */
  takeBytes(): Promise<Uint8Array>;
}

/** What a response has beyond what its constructor sets. */
interface ResponseOrigin {
  readonly type: 'basic' | 'default' | 'error';
  readonly url: string;
  readonly redirected: boolean;
  readonly guard: HeadersGuard;
}

const responseFamily = define('response', { globals: { Response: 'class' } }, (use) => {
  const { finishInterface, internal, requireArguments, toByteString, toDictionary, toUnsignedShort } =
    use('webidl');
  const { extractObject, installBody, textType, toCell } = use('body');

  // Header lists that many responses share: nobody writes to a list, a Headers object gets a copy.
  const noHeaders: readonly string[] = [];
  const textHeaders: readonly string[] = ['content-type', textType];
  const jsonHeaders: readonly string[] = ['content-type', 'application/json'];
  const byGuest: ResponseOrigin = { type: 'default', url: '', redirected: false, guard: 'response' };
  const immutable: ResponseOrigin = { type: 'default', url: '', redirected: false, guard: 'immutable' };
  const networkError: ResponseOrigin = { type: 'error', url: '', redirected: false, guard: 'immutable' };
  const reasonPhrase = /^[\t\x20-\x7e\x80-\xff]*$/;
  const stringify = JSON.stringify;

  let isResponse!: (value: unknown) => value is Response;
  let responseParts!: (response: Response) => ResponseParts;
  let responseFacts!: (response: Response) => ResponseFacts;

  class Response {
    #status: number;
    #statusText: string;
    /** A flat list until the object is asked for. */
    #headers: readonly string[] | HeadersFacade;
    #body: Body;
    #origin: ResponseOrigin;

    constructor(
      body: unknown = null,
      init: unknown = undefined,
      headers: readonly string[] = noHeaders,
      origin: ResponseOrigin = byGuest,
      status = 200,
      statusText = '',
    ) {
      if (init === internal) {
        this.#status = status;
        this.#statusText = statusText;
        this.#headers = headers;
        this.#body = body as Body;
        this.#origin = origin;
        return;
      }
      this.#status = 200;
      this.#statusText = '';
      this.#origin = byGuest;
      if (typeof body === 'string') {
        this.#body = body;
        this.#headers = textHeaders;
        if (init !== undefined) this.#initialize(init, textType);
      } else if (body === null || body === undefined) {
        this.#body = null;
        this.#headers = noHeaders;
        if (init !== undefined) this.#initialize(init, null);
      } else {
        const extracted = extractObject(body);
        this.#body = extracted.body;
        this.#headers = extracted.type === null ? noHeaders : ['content-type', extracted.type];
        if (init !== undefined) this.#initialize(init, extracted.type);
      }
    }

    static error(): Response {
      return new Response(null, internal, noHeaders, networkError, 0);
    }

    static json(data: unknown, init: unknown = undefined): Response {
      requireArguments(1, arguments.length, "Failed to execute 'json' on 'Response'");
      const text = stringify(data);
      if (text === undefined) throw new TypeError('The value cannot be written as JSON');
      const response = new Response(text, internal, jsonHeaders, byGuest);
      if (init !== undefined) response.#initialize(init, 'application/json');
      return response;
    }

    static redirect(url: unknown, status: unknown = 302): Response {
      requireArguments(1, arguments.length, "Failed to execute 'redirect' on 'Response'");
      const text = use('webidl').toUSVString(url);
      const code = toUnsignedShort(status);
      const href = use('url').parseHref(text);
      if (href === null) throw new TypeError('The URL of a redirect must be valid and absolute');
      if (code !== 301 && code !== 302 && code !== 303 && code !== 307 && code !== 308) {
        throw new RangeError(`${code} is not the status of a redirect`);
      }
      return new Response(null, internal, ['location', href], immutable, code);
    }

    get headers(): HeadersFacade {
      if (Array.isArray(this.#headers)) {
        this.#headers = use('headers').headersFromFlat(this.#headers as string[], this.#origin.guard);
      }
      return this.#headers as HeadersFacade;
    }

    get ok(): boolean {
      return this.#status >= 200 && this.#status <= 299;
    }

    get redirected(): boolean {
      return this.#origin.redirected;
    }

    get status(): number {
      return this.#status;
    }

    get statusText(): string {
      return this.#statusText;
    }

    get type(): 'basic' | 'default' | 'error' {
      return this.#origin.type;
    }

    get url(): string {
      return this.#origin.url;
    }

    clone(): Response {
      const cell = (this.#body = toCell(this.#body));
      if (cell.isUnusable) throw new TypeError('A response whose body is used or locked cannot be cloned');
      const headers = this.#list();
      return new Response(
        cell.clone(),
        internal,
        headers.slice(),
        this.#origin,
        this.#status,
        this.#statusText,
      );
    }

    #list(): readonly string[] {
      const headers = this.#headers;
      return Array.isArray(headers)
        ? (headers as readonly string[])
        : use('headers').flatOf(headers as HeadersFacade);
    }

    /** Takes over a ResponseInit; `type` is the content type that the body asks for. */
    #initialize(init: unknown, type: string | null): void {
      const members = toDictionary(init, 'The init of a response');
      if (members === undefined) return;
      // Web IDL reads and converts a dictionary's members in the order of their names.
      const { headers } = members;
      const list = headers === undefined ? undefined : use('headers').flatFromInit(headers);
      const { status } = members;
      if (status !== undefined) this.#status = toUnsignedShort(status);
      const { statusText } = members;
      if (statusText !== undefined) this.#statusText = toByteString(statusText, 'statusText');
      if (this.#status < 200 || this.#status > 599) {
        throw new RangeError('The status must be from 200 to 599');
      }
      if (statusText !== undefined && !reasonPhrase.test(this.#statusText)) {
        throw new TypeError('statusText has a character that is not allowed');
      }
      if (this.#body !== null && isNullBodyStatus(this.#status)) {
        throw new TypeError(`A response with status ${this.#status} cannot have a body`);
      }
      if (list === undefined) return;
      if (type !== null && use('headers').getFrom(list, 'content-type') === null) {
        list.push('content-type', type);
      }
      this.#headers = list;
    }

    static {
      isResponse = (value): value is Response =>
        typeof value === 'object' && value !== null && #body in value;

      responseParts = (response) => {
        if (response.#origin === networkError) throw new TypeError('The response is a network error');
        let body: Body | HostBody = response.#body;
        if (typeof body === 'string' || body instanceof Uint8Array) {
          response.#body = undefined;
        } else if (body !== null) {
          const cell = (response.#body = toCell(body));
          if (cell.isUnusable) {
            throw new TypeError('The body of the response has been used already, or is locked');
          }
          body = cell.takeForHost();
        }
        return {
          status: response.#status,
          statusText: response.#statusText,
          headers: toKnownList(response.#list()),
          body: body as HostBody,
        };
      };

      responseFacts = (response) => ({
        contentType: use('headers').getFrom(response.#list(), 'content-type'),
        isOk: response.#status >= 200 && response.#status <= 299,
        takeBytes() {
          const cell = (response.#body = toCell(response.#body));
          if (cell.isUnusable) throw new TypeError('The body has been used already, or its stream is locked');
          return cell.bytes();
        },
      });

      installBody(Response, {
        cellOf: (response) => (response.#body = toCell(response.#body)),
        contentTypeOf: (response) => use('headers').getFrom(response.#list(), 'content-type'),
      });
    }
  }
  finishInterface(Response);

  function toKnownList(list: readonly string[]): number | readonly string[] {
    if (list === textHeaders) return 1;
    if (list === jsonHeaders) return 2;
    return list.length === 0 ? 0 : list;
  }

  function isNullBodyStatus(status: number): boolean {
    return status === 204 || status === 205 || status === 304;
  }

  /** The response to a fetch; `body` is the runtime's own. */
  function responseFromHost(result: Omit<HostFetchResult, 'body'>, body: Body): Response {
    const { url, redirected } = result;
    const origin: ResponseOrigin = { type: 'basic', url, redirected, guard: 'immutable' };
    return new Response(body, internal, result.headers, origin, result.status, result.statusText);
  }

  return { Response, isResponse, responseFacts, responseParts, responseFromHost };
});
interface Families {
  response: FamilyOf<typeof responseFamily>;
}
