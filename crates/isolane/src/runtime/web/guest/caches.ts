// Owns Cache and CacheStorage (https://w3c.github.io/ServiceWorker/#cache-objects). The host keeps the
// responses and finds those that match; here is what a request and a response must be. Runs on the
// isolate's thread.

/** A kept response: request URL and headers, then status, reason phrase, URL, headers and body. */
type CacheRecord = [
  url: string,
  requestHeaders: string[],
  status: number,
  statusText: string,
  responseUrl: string,
  headers: string[],
  body: Uint8Array<ArrayBuffer> | null,
];

interface Host {
  /** Answers the callback id of the operation. The kinds are shared with cache.rs. */
  cacheCall(
    kind: number,
    cache: string | null,
    url: string | null,
    headers: readonly string[] | null,
    flags: number,
    records: CacheRecord[] | null,
  ): number;
}

const cachesFamily = define(
  'caches',
  { globals: { Cache: 'class', CacheStorage: 'class', caches: 'object' } },
  (use, host) => {
    const { finishInterface, illegalConstructor, internal, requireArguments } = use('webidl');
    const { toDictionary, toDOMString, toSequence } = use('webidl');
    const { Request, isRequest } = use('request');
    const { Response, isResponse, responseFromHost } = use('response');
    const { flatOf } = use('headers');
    const { arrayBuffer } = Response.prototype as unknown as { arrayBuffer(): Promise<ArrayBuffer> };

    const OPEN = 0;
    const HAS = 1;
    const DROP = 2;
    const NAMES = 3;
    const MATCH = 4;
    const MATCH_ALL = 5;
    const PUT = 6;
    const DELETE = 7;
    const IGNORE_SEARCH = 1;
    const IGNORE_VARY = 2;
    /** What `caches.default` is, and `caches.open` with the same name. */
    const DEFAULT_NAME = 'default';

    interface Query {
      readonly url: string;
      readonly headers: readonly string[];
      readonly flags: number;
    }

    type Ask = Partial<Query> & { cache?: string | null; records?: CacheRecord[] };

    function ask<T>(kind: number, what: Ask): Promise<T> {
      const { cache = null, url = null, headers = null, flags = 0, records = null } = what;
      return use('callbacks').wait<T>(host.cacheCall(kind, cache, url, headers, flags, records));
    }

    function toRequest(value: unknown): RequestFacade {
      return isRequest(value) ? value : new Request(value);
    }

    const withoutFragment = (url: string) => url.split('#', 1)[0];

    /** What to look for; null where no kept response can match, as all of them answered a GET. */
    function toQuery(input: unknown, options: unknown, what: string): Query | null {
      const dictionary = toDictionary(options, `${what}: the options`);
      const request = toRequest(input);
      if (request.method !== 'GET' && !dictionary?.ignoreMethod) return null;
      let flags = 0;
      if (dictionary?.ignoreSearch) flags |= IGNORE_SEARCH;
      if (dictionary?.ignoreVary) flags |= IGNORE_VARY;
      return { url: withoutFragment(request.url), headers: flatOf(request.headers), flags };
    }

    function toResponse(record: CacheRecord): InstanceType<typeof Response> {
      const [, , status, statusText, url, headers, body] = record;
      return responseFromHost({ status, statusText, headers, url, redirected: false }, body);
    }

    /** Throws unless responses to the request may be kept. */
    function checkRequest(request: RequestFacade, what: string): void {
      if (!/^https?:/.test(request.url)) {
        throw new TypeError(`${what}: the scheme of ${request.url} is neither http nor https.`);
      }
      if (request.method !== 'GET') throw new TypeError(`${what}: the method is ${request.method}, not GET.`);
    }

    /** Throws unless the response may be kept. */
    function checkResponse(response: ResponseFacade, what: string): void {
      if (response.status === 206) throw new TypeError(`${what}: a response with status 206 is only a part.`);
      const vary = response.headers.get('vary')?.split(',') ?? [];
      if (vary.some((field) => field.trim() === '*')) {
        throw new TypeError(`${what}: the response has a Vary of *.`);
      }
    }

    /** Reads a response into what the host keeps. */
    async function toRecord(request: RequestFacade, response: ResponseFacade): Promise<CacheRecord> {
      const { status, statusText, url } = response;
      const headers = [...flatOf(response.headers)];
      const isEmpty = (response as unknown as { body: unknown }).body === null;
      const body = isEmpty ? null : new Uint8Array(await Reflect.apply(arrayBuffer, response, []));
      return [
        withoutFragment(request.url),
        [...flatOf(request.headers)],
        status,
        statusText,
        url,
        headers,
        body,
      ];
    }

    class Cache {
      #name: string;
      constructor(token: unknown = undefined, name = '') {
        illegalConstructor(token);
        this.#name = name;
      }

      async match(request: unknown, options: unknown = undefined): Promise<unknown> {
        const what = "Failed to execute 'match' on 'Cache'";
        const cache = this.#name;
        requireArguments(1, arguments.length, what);
        const query = toQuery(request, options, what);
        if (query === null) return undefined;
        const [found] = await ask<CacheRecord[]>(MATCH, { cache, ...query });
        return found === undefined ? undefined : toResponse(found);
      }

      async matchAll(request: unknown = undefined, options: unknown = undefined): Promise<unknown[]> {
        const cache = this.#name;
        const what = "Failed to execute 'matchAll' on 'Cache'";
        const query = request === undefined ? {} : toQuery(request, options, what);
        if (query === null) return [];
        const found = await ask<CacheRecord[]>(MATCH_ALL, { cache, ...query });
        return found.map(toResponse);
      }

      async keys(request: unknown = undefined, options: unknown = undefined): Promise<RequestFacade[]> {
        const cache = this.#name;
        const what = "Failed to execute 'keys' on 'Cache'";
        const query = request === undefined ? {} : toQuery(request, options, what);
        if (query === null) return [];
        const found = await ask<CacheRecord[]>(MATCH_ALL, { cache, ...query });
        return found.map(([url, headers]) => {
          const pairs: [string, string][] = [];
          for (let i = 0; i < headers.length; i += 2) pairs.push([headers[i], headers[i + 1]]);
          return new Request(url, { headers: pairs });
        });
      }

      async put(request: unknown, response: unknown): Promise<void> {
        const cache = this.#name;
        const what = "Failed to execute 'put' on 'Cache'";
        requireArguments(2, arguments.length, what);
        const asked = toRequest(request);
        if (!isResponse(response)) throw new TypeError(`${what}: parameter 2 is not of type 'Response'.`);
        checkRequest(asked, what);
        checkResponse(response, what);
        await ask(PUT, { cache, records: [await toRecord(asked, response)] });
      }

      async add(request: unknown): Promise<void> {
        const what = "Failed to execute 'add' on 'Cache'";
        const cache = this.#name;
        requireArguments(1, arguments.length, what);
        await ask(PUT, { cache, records: await fetchAll([request], what) });
      }

      async addAll(requests: unknown): Promise<void> {
        const what = "Failed to execute 'addAll' on 'Cache'";
        const cache = this.#name;
        requireArguments(1, arguments.length, what);
        const list = toSequence(requests, (one) => one, `${what}: parameter 1`);
        await ask(PUT, { cache, records: await fetchAll(list, what) });
      }

      async delete(request: unknown, options: unknown = undefined): Promise<boolean> {
        const what = "Failed to execute 'delete' on 'Cache'";
        const cache = this.#name;
        requireArguments(1, arguments.length, what);
        const query = toQuery(request, options, what);
        return query === null ? false : ask<boolean>(DELETE, { cache, ...query });
      }
    }

    /** Fetches what is to be kept; nothing is, unless all of it may be. */
    function fetchAll(inputs: unknown[], what: string): Promise<CacheRecord[]> {
      const requests = inputs.map(toRequest);
      for (const request of requests) checkRequest(request, what);
      const { fetch } = use('fetch');
      return Promise.all(
        requests.map(async (request) => {
          const response = (await fetch(request)) as ResponseFacade;
          if (!response.ok) throw new TypeError(`${what}: ${request.url} gave status ${response.status}.`);
          checkResponse(response, what);
          return toRecord(request, response);
        }),
      );
    }

    class CacheStorage {
      #default: Cache | null = null;
      constructor(token: unknown = undefined) {
        illegalConstructor(token);
      }

      get default(): Cache {
        return (this.#default ??= new Cache(internal, DEFAULT_NAME));
      }

      async match(request: unknown, options: unknown = undefined): Promise<unknown> {
        void this.#default;
        const what = "Failed to execute 'match' on 'CacheStorage'";
        requireArguments(1, arguments.length, what);
        const name = toDictionary(options, `${what}: the options`)?.cacheName;
        const cache = name === undefined ? null : toDOMString(name);
        const query = toQuery(request, options, what);
        if (query === null) return undefined;
        const [found] = await ask<CacheRecord[]>(MATCH, { cache, ...query });
        return found === undefined ? undefined : toResponse(found);
      }

      async has(cacheName: unknown): Promise<boolean> {
        void this.#default;
        requireArguments(1, arguments.length, "Failed to execute 'has' on 'CacheStorage'");
        return ask<boolean>(HAS, { cache: toDOMString(cacheName) });
      }

      async open(cacheName: unknown): Promise<Cache> {
        void this.#default;
        requireArguments(1, arguments.length, "Failed to execute 'open' on 'CacheStorage'");
        const cache = toDOMString(cacheName);
        await ask(OPEN, { cache });
        return new Cache(internal, cache);
      }

      async delete(cacheName: unknown): Promise<boolean> {
        void this.#default;
        requireArguments(1, arguments.length, "Failed to execute 'delete' on 'CacheStorage'");
        return ask<boolean>(DROP, { cache: toDOMString(cacheName) });
      }

      async keys(): Promise<string[]> {
        void this.#default;
        return ask<string[]>(NAMES, {});
      }
    }

    finishInterface(Cache);
    finishInterface(CacheStorage);
    return { Cache, CacheStorage, caches: new CacheStorage(internal) };
  },
);
interface Families {
  caches: FamilyOf<typeof cachesFamily>;
}
