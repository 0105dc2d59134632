// Owns URL and URLSearchParams (WHATWG URL Standard). A URL is its serialisation and the offsets of its
// components, both made by the native parser; getters only slice. Runs on the isolate's thread.

/** A serialised URL and the ends and starts of its components in it, as crates/isolane/src/runtime/web/url.rs draws them. */
type UrlParts = readonly [
  href: string,
  protocolEnd: number,
  usernameEnd: number,
  hostStart: number,
  hostEnd: number,
  pathStart: number,
  searchStart: number,
  hashStart: number,
];

interface Host {
  /** Parses a URL, null where the input is not valid. Lone surrogates count as U+FFFD. */
  urlParse(input: string, base: string | undefined): UrlParts | null;
  urlCanParse(input: string, base: string | undefined): boolean;
  /** The URL with another component, null where the setter must leave it as it is. */
  urlSet(href: string, part: number, value: string): UrlParts | null;
}

const urlFamily = define('url', { globals: { URL: 'class', URLSearchParams: 'class' } }, (use, host) => {
  const {
    finishInterface,
    makePairIterable,
    requireArguments,
    toDOMString,
    toRecord,
    toSequence,
    toUSVString,
  } = use('webidl');

  const { parseForm, serializeForm } = use('form_urlencoded');

  const PROTOCOL = 0;
  const USERNAME = 1;
  const PASSWORD = 2;
  const HOST = 3;
  const HOSTNAME = 4;
  const PORT = 5;
  const PATHNAME = 6;
  const SEARCH = 7;
  const HASH = 8;

  let setQuery: (url: URL, query: string) => void;
  let paramsOf: (url: URL, query: string) => URLSearchParams;
  let replaceParams: (params: URLSearchParams, query: string) => void;
  let pairAt: (params: URLSearchParams, index: number) => readonly [string, string] | undefined;

  class URLSearchParams {
    /** Names and values in turn. */
    #list: string[] = [];
    #url: URL | null = null;

    static {
      paramsOf = (url, query) => {
        const params = new URLSearchParams();
        params.#list = parseForm(query);
        params.#url = url;
        return params;
      };
      replaceParams = (params, query) => {
        params.#list = parseForm(query);
      };
      pairAt = (params, index) => {
        const list = params.#list;
        return 2 * index < list.length ? [list[2 * index]!, list[2 * index + 1]!] : undefined;
      };
    }

    constructor(init: unknown = undefined) {
      if (init === undefined) return;
      this.#list = isObject(init) ? listOf(init) : parseForm(withoutMark(toUSVString(init)));
    }

    get size(): number {
      return this.#list.length / 2;
    }

    append(name: unknown, value: unknown): void {
      const list = this.#list;
      requireArguments(2, arguments.length, "Failed to execute 'append' on 'URLSearchParams'");
      const pair = [toUSVString(name), toUSVString(value)] as const;
      list.push(pair[0], pair[1]);
      this.#changed();
    }

    delete(name: unknown, value: unknown = undefined): void {
      void this.#list;
      requireArguments(1, arguments.length, "Failed to execute 'delete' on 'URLSearchParams'");
      const wantedName = toUSVString(name);
      const wantedValue = value === undefined ? undefined : toUSVString(value);
      this.#keep((key, item) => key !== wantedName || (wantedValue !== undefined && item !== wantedValue));
      this.#changed();
    }

    get(name: unknown): string | null {
      void this.#list;
      requireArguments(1, arguments.length, "Failed to execute 'get' on 'URLSearchParams'");
      const at = this.#indexOf(toUSVString(name));
      return at < 0 ? null : this.#list[at + 1]!;
    }

    getAll(name: unknown): string[] {
      void this.#list;
      requireArguments(1, arguments.length, "Failed to execute 'getAll' on 'URLSearchParams'");
      const wanted = toUSVString(name);
      const list = this.#list;
      const values: string[] = [];
      for (let i = 0; i < list.length; i += 2) if (list[i] === wanted) values.push(list[i + 1]!);
      return values;
    }

    has(name: unknown, value: unknown = undefined): boolean {
      void this.#list;
      requireArguments(1, arguments.length, "Failed to execute 'has' on 'URLSearchParams'");
      const wantedName = toUSVString(name);
      if (value === undefined) return this.#indexOf(wantedName) >= 0;
      const wantedValue = toUSVString(value);
      const list = this.#list;
      for (let i = 0; i < list.length; i += 2) {
        if (list[i] === wantedName && list[i + 1] === wantedValue) return true;
      }
      return false;
    }

    set(name: unknown, value: unknown): void {
      void this.#list;
      requireArguments(2, arguments.length, "Failed to execute 'set' on 'URLSearchParams'");
      const wanted = toUSVString(name);
      const replacement = toUSVString(value);
      const at = this.#indexOf(wanted);
      if (at < 0) {
        this.#list.push(wanted, replacement);
      } else {
        this.#list[at + 1] = replacement;
        this.#keep((key, _item, index) => key !== wanted || index === at);
      }
      this.#changed();
    }

    sort(): void {
      const list = this.#list;
      const pairs: [string, string][] = [];
      for (let i = 0; i < list.length; i += 2) pairs.push([list[i]!, list[i + 1]!]);
      pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
      this.#list = pairs.flat();
      this.#changed();
    }

    toString(): string {
      return serializeForm(this.#list);
    }

    #indexOf(name: string): number {
      const list = this.#list;
      for (let i = 0; i < list.length; i += 2) if (list[i] === name) return i;
      return -1;
    }

    #keep(wanted: (name: string, value: string, index: number) => boolean): void {
      const list = this.#list;
      let kept = 0;
      for (let i = 0; i < list.length; i += 2) {
        const name = list[i]!;
        const value = list[i + 1]!;
        if (!wanted(name, value, i)) continue;
        list[kept] = name;
        list[kept + 1] = value;
        kept += 2;
      }
      list.length = kept;
    }

    /** The update steps: a list that belongs to a URL is its query. */
    #changed(): void {
      if (this.#url !== null) setQuery(this.#url, serializeForm(this.#list));
    }
  }
  makePairIterable(URLSearchParams, (params, index) => pairAt(params, index));
  finishInterface(URLSearchParams);

  function isObject(value: unknown): value is object {
    return (typeof value === 'object' && value !== null) || typeof value === 'function';
  }

  /** The list that a sequence of pairs or a record gives. */
  function listOf(init: object): string[] {
    const list: string[] = [];
    const method = (init as Partial<Iterable<unknown>>)[Symbol.iterator];
    if (method !== undefined && method !== null) {
      const what = "Failed to construct 'URLSearchParams': The provided value";
      for (const pair of toSequence(init, (item) => toSequence(item, toUSVString, what), what)) {
        if (pair.length !== 2) {
          throw new TypeError(
            "Failed to construct 'URLSearchParams': Sequence initializer must only contain pair elements",
          );
        }
        list.push(pair[0]!, pair[1]!);
      }
      return list;
    }
    // A record has each name once, at its first place with its last value.
    for (const [name, value] of new Map(toRecord(init, toUSVString, toUSVString))) list.push(name, value);
    return list;
  }

  function withoutMark(query: string): string {
    return query.charCodeAt(0) === 0x3f ? query.slice(1) : query;
  }

  class URL {
    #parts: UrlParts;
    #params: URLSearchParams | null = null;

    static {
      setQuery = (url, query) => url.#set(SEARCH, query);
    }

    constructor(url: unknown, base: unknown = undefined) {
      requireArguments(1, arguments.length, "Failed to construct 'URL'");
      // The native parser does the rest of the conversion to a USVString.
      const parts = host.urlParse(toDOMString(url), base === undefined ? undefined : toDOMString(base));
      if (parts === null) throw new TypeError("Failed to construct 'URL': Invalid URL");
      this.#parts = parts;
    }

    static canParse(url: unknown, base: unknown = undefined): boolean {
      requireArguments(1, arguments.length, "Failed to execute 'canParse' on 'URL'");
      return host.urlCanParse(toDOMString(url), base === undefined ? undefined : toDOMString(base));
    }

    static parse(url: unknown, base: unknown = undefined): URL | null {
      requireArguments(1, arguments.length, "Failed to execute 'parse' on 'URL'");
      const href = parseHref(toDOMString(url), base === undefined ? undefined : toDOMString(base));
      return href === null ? null : new URL(href);
    }

    static createObjectURL(obj: unknown): string {
      const what = "Failed to execute 'createObjectURL' on 'URL'";
      requireArguments(1, arguments.length, what);
      if (!use('blob').isBlob(obj)) throw new TypeError(`${what}: parameter 1 is not of type 'Blob'.`);
      return use('blob_urls').createObjectURL(obj);
    }

    static revokeObjectURL(url: unknown): void {
      requireArguments(1, arguments.length, "Failed to execute 'revokeObjectURL' on 'URL'");
      use('blob_urls').revokeObjectURL(toDOMString(url));
    }

    get href(): string {
      return this.#parts[0];
    }

    set href(value: unknown) {
      void this.#parts;
      const parts = host.urlParse(toDOMString(value), undefined);
      if (parts === null) throw new TypeError("Failed to set the 'href' property on 'URL': Invalid URL");
      this.#parts = parts;
      if (this.#params !== null) replaceParams(this.#params, withoutMark(this.search));
    }

    get origin(): string {
      return originOf(this.#parts);
    }

    get protocol(): string {
      const parts = this.#parts;
      return parts[0].slice(0, parts[1]);
    }

    set protocol(value: unknown) {
      this.#set(PROTOCOL, value);
    }

    get username(): string {
      const parts = this.#parts;
      return parts[0].slice(parts[1] + 2, parts[2]);
    }

    set username(value: unknown) {
      this.#set(USERNAME, value);
    }

    get password(): string {
      const parts = this.#parts;
      return parts[0].slice(parts[2] + 1, parts[3] - 1);
    }

    set password(value: unknown) {
      this.#set(PASSWORD, value);
    }

    get host(): string {
      return hostOf(this.#parts);
    }

    set host(value: unknown) {
      this.#set(HOST, value);
    }

    get hostname(): string {
      const parts = this.#parts;
      return parts[0].slice(parts[3], parts[4]);
    }

    set hostname(value: unknown) {
      this.#set(HOSTNAME, value);
    }

    get port(): string {
      return portOf(this.#parts).slice(1);
    }

    set port(value: unknown) {
      this.#set(PORT, value);
    }

    get pathname(): string {
      const parts = this.#parts;
      return parts[0].slice(parts[5], parts[6]);
    }

    set pathname(value: unknown) {
      this.#set(PATHNAME, value);
    }

    get search(): string {
      const parts = this.#parts;
      return parts[7] - parts[6] > 1 ? parts[0].slice(parts[6], parts[7]) : '';
    }

    set search(value: unknown) {
      void this.#parts;
      const query = toUSVString(value);
      this.#set(SEARCH, query);
      if (this.#params !== null) replaceParams(this.#params, withoutMark(query));
    }

    get searchParams(): URLSearchParams {
      return (this.#params ??= paramsOf(this, withoutMark(this.search)));
    }

    get hash(): string {
      const parts = this.#parts;
      return parts[0].length - parts[7] > 1 ? parts[0].slice(parts[7]) : '';
    }

    set hash(value: unknown) {
      this.#set(HASH, value);
    }

    toString(): string {
      return this.#parts[0];
    }

    toJSON(): string {
      return this.#parts[0];
    }

    #set(part: number, value: unknown): void {
      void this.#parts;
      const text = toDOMString(value);
      this.#parts = host.urlSet(this.#parts[0], part, text) ?? this.#parts;
    }
  }
  finishInterface(URL);

  /** The port with its colon; what stands there instead before a path like "//p" is no port. */
  function portOf(parts: UrlParts): string {
    const port = parts[0].slice(parts[4], parts[5]);
    return port.charCodeAt(0) === 0x3a ? port : '';
  }

  function hostOf(parts: UrlParts): string {
    return parts[0].slice(parts[3], parts[4]) + portOf(parts);
  }

  function originOf(parts: UrlParts): string {
    const protocol = parts[0].slice(0, parts[1]);
    switch (protocol) {
      case 'http:':
      case 'https:':
      case 'ws:':
      case 'wss:':
      case 'ftp:':
        return `${protocol}//${hostOf(parts)}`;
      case 'blob:': {
        const inner = host.urlParse(parts[0].slice(parts[5], parts[6]), undefined);
        return inner !== null && /^https?:/.test(inner[0]) ? originOf(inner) : 'null';
      }
      default:
        return 'null';
    }
  }

  /** The serialisation of a URL without making an object of it, null where the input is not valid. */
  function parseHref(input: string, base?: string): string | null {
    const parts = host.urlParse(input, base);
    return parts === null ? null : parts[0];
  }

  return { URL, URLSearchParams, parseHref };
});
interface Families {
  url: FamilyOf<typeof urlFamily>;
}
