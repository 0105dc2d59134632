// The class Headers (Fetch standard, section 5.1). Header lists are flat arrays of names and values in
// turn, names in lower case, which is also how they go to the host.
// Runs in a guest's context, on whichever thread has its isolate entered.

/** Who may change a Headers object; what of it is the host's to set is dropped by the host. */
type HeadersGuard = 'none' | 'request' | 'response' | 'immutable';
type HeadersFacade = InstanceType<Families['headers']['Headers']>;

const headersFamily = define('headers', { globals: { Headers: 'class' } }, (use) => {
  const { finishInterface, internal, makePairIterable, requireArguments, toByteString, toDOMString } =
    use('webidl');

  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const plainValue = /^[!-~](?:[ -~]*[!-~])?$/;
  const outerWhitespace = /^[\t\n\r ]+|[\t\n\r ]+$/g;
  const forbiddenInValue = /[\0\n\r]/;
  const { propertyIsEnumerable } = Object.prototype;

  function toName(value: unknown): string {
    const name = typeof value === 'string' ? value : toDOMString(value);
    if (!token.test(name)) throw new TypeError(`'${name}' is not a valid header name`);
    return name.toLowerCase();
  }

  function toValue(value: unknown): string {
    if (typeof value === 'string' && plainValue.test(value)) return value;
    const trimmed = toByteString(value, 'The header value').replace(outerWhitespace, '');
    if (forbiddenInValue.test(trimmed)) {
      throw new TypeError('The header value has a character that is not allowed');
    }
    return trimmed;
  }

  /** The flat list that `init` stands for: another Headers, pairs, or an object's own properties. */
  function flatFromInit(init: unknown): string[] {
    if ((typeof init !== 'object' || init === null) && typeof init !== 'function') {
      throw new TypeError('The headers are neither an object nor a sequence of pairs');
    }
    const iterate = (init as { [Symbol.iterator]?: unknown })[Symbol.iterator];
    if (iterate === undefined || iterate === null) return flatFromRecord(init);
    if (iterate === iterateHeaders && isHeaders(init)) return flatOf(init).slice();
    return flatFromPairs(init);
  }

  function flatFromRecord(record: object): string[] {
    const list: string[] = [];
    const keys = Reflect.ownKeys(record);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      if (!Reflect.apply(propertyIsEnumerable, record, [key])) continue;
      if (typeof key === 'symbol') throw new TypeError('A symbol is not a valid header name');
      const value = (record as Record<string, unknown>)[key];
      list.push(toName(key), toValue(value));
    }
    return list;
  }

  function flatFromPairs(pairs: object): string[] {
    const { toSequence } = use('webidl');
    const list: string[] = [];
    const sequences = toSequence(
      pairs,
      (pair) => toSequence(pair, toByteString, 'A header pair'),
      'The headers',
    );
    for (let i = 0; i < sequences.length; i++) {
      const pair = sequences[i]!;
      if (pair.length !== 2) throw new TypeError('A header pair needs exactly a name and a value');
      list.push(toName(pair[0]), toValue(pair[1]));
    }
    return list;
  }

  /** All values of `name` in a flat list, joined as on the wire, or null. */
  function getFrom(list: readonly string[], name: string): string | null {
    let found: string | null = null;
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === name) found = found === null ? list[i + 1]! : `${found}, ${list[i + 1]}`;
    }
    return found;
  }

  let isHeaders!: (value: unknown) => value is Headers;
  let flatOf!: (headers: Headers) => string[];
  let pairAt!: (headers: Headers, index: number) => readonly [string, string] | undefined;

  class Headers {
    #list: string[];
    #guard: HeadersGuard;
    /** What iteration goes through; dropped at each change. */
    #sorted: [string, string][] | undefined = undefined;

    constructor(init: unknown = undefined, list: string[] = [], guard: HeadersGuard = 'none') {
      if (init === internal) {
        this.#list = list;
        this.#guard = guard;
      } else {
        this.#guard = 'none';
        this.#list = init === undefined ? [] : flatFromInit(init);
      }
    }

    append(name: string, value: string): void {
      void this.#list;
      requireArguments(2, arguments.length, "Failed to execute 'append' on 'Headers'");
      const key = toName(name);
      const text = toValue(value);
      this.#willChange();
      this.#list.push(key, text);
    }

    delete(name: string): void {
      void this.#list;
      requireArguments(1, arguments.length, "Failed to execute 'delete' on 'Headers'");
      const key = toName(name);
      this.#willChange();
      this.#remove(key, 0);
    }

    get(name: string): string | null {
      void this.#list;
      requireArguments(1, arguments.length, "Failed to execute 'get' on 'Headers'");
      return getFrom(this.#list, toName(name));
    }

    getSetCookie(): string[] {
      const cookies: string[] = [];
      const list = this.#list;
      for (let i = 0; i < list.length; i += 2) {
        if (list[i] === 'set-cookie') cookies.push(list[i + 1]!);
      }
      return cookies;
    }

    has(name: string): boolean {
      const list = this.#list;
      requireArguments(1, arguments.length, "Failed to execute 'has' on 'Headers'");
      const key = toName(name);
      for (let i = 0; i < list.length; i += 2) if (list[i] === key) return true;
      return false;
    }

    set(name: string, value: string): void {
      const list = this.#list;
      requireArguments(2, arguments.length, "Failed to execute 'set' on 'Headers'");
      const key = toName(name);
      const text = toValue(value);
      this.#willChange();
      for (let i = 0; i < list.length; i += 2) {
        if (list[i] !== key) continue;
        list[i + 1] = text;
        this.#remove(key, i + 2);
        return;
      }
      list.push(key, text);
    }

    #willChange(): void {
      if (this.#guard === 'immutable') throw new TypeError('These headers are immutable');
      this.#sorted = undefined;
    }

    #remove(name: string, from: number): void {
      const list = this.#list;
      let kept = from;
      for (let i = from; i < list.length; i += 2) {
        if (list[i] === name) continue;
        list[kept] = list[i]!;
        list[kept + 1] = list[i + 1]!;
        kept += 2;
      }
      list.length = kept;
    }

    static {
      isHeaders = (value): value is Headers => typeof value === 'object' && value !== null && #list in value;
      flatOf = (headers) => headers.#list;
      pairAt = (headers, index) => (headers.#sorted ??= sortAndCombine(headers.#list))[index];
    }
  }

  /** The Fetch standard's "sort and combine": cookies stay apart. */
  function sortAndCombine(list: readonly string[]): [string, string][] {
    const combined = new Map<string, string>();
    const cookies: [string, string][] = [];
    for (let i = 0; i < list.length; i += 2) {
      const name = list[i]!;
      const value = list[i + 1]!;
      if (name === 'set-cookie') {
        cookies.push([name, value]);
      } else {
        const before = combined.get(name);
        combined.set(name, before === undefined ? value : `${before}, ${value}`);
      }
    }
    const pairs = [...combined, ...cookies];
    // Sorting is stable, so that cookies keep their order.
    return pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  makePairIterable(Headers, pairAt);
  finishInterface(Headers);
  const iterateHeaders = (Headers.prototype as unknown as Iterable<unknown>)[Symbol.iterator];

  /** A Headers object over a copy of `flat`, whose names may be in any case. */
  function headersFromFlat(flat: readonly string[], guard: HeadersGuard): Headers {
    const list = flat.slice();
    for (let i = 0; i < list.length; i += 2) list[i] = list[i]!.toLowerCase();
    return new Headers(internal, list, guard);
  }

  return { Headers, isHeaders, flatOf, flatFromInit, getFrom, headersFromFlat };
});
interface Families {
  headers: FamilyOf<typeof headersFamily>;
}
