// Owns URLPattern (https://urlpattern.spec.whatwg.org/). The native side parses patterns into regular
// expressions, which V8 runs. Runs on the isolate's thread.

interface Host {
  /**
   * Whether there are groups with regular expressions, then for each component its pattern, its regular
   * expression and the names of its groups. `input` is a string or the members of a URLPatternInit, in the
   * order of `COMPONENTS`, then the base URL. Throws a TypeError where it is not valid.
   */
  urlPatternParse(
    input: string | (string | undefined)[],
    base: string | undefined,
    ignoreCase: boolean,
  ): unknown[];
  /** The components of what is to be matched, or null where it is no URL. */
  urlPatternInput(input: string | (string | undefined)[], base: string | undefined): string[] | null;
}

const urlPatternFamily = define('url_pattern', { globals: { URLPattern: 'class' } }, (use, host) => {
  const { finishInterface, toDictionary, toUSVString } = use('webidl');

  const COMPONENTS = [
    'protocol',
    'username',
    'password',
    'hostname',
    'port',
    'pathname',
    'search',
    'hash',
  ] as const;
  const MEMBERS = [...COMPONENTS, 'baseURL'] as const;
  /** Web IDL reads and writes the members of dictionaries by their names' order. */
  const SORTED_MEMBERS = [...MEMBERS].sort();
  const ANYTHING = '^(.*)$';
  const { exec } = RegExp.prototype;

  interface Component {
    readonly pattern: string;
    /** Null for what matches anything. */
    readonly regExp: RegExp | null;
    readonly names: readonly string[];
  }

  /** A URLPatternInit, as it was given and as the native side wants it. */
  interface Init {
    readonly given: Record<string, string>;
    readonly members: (string | undefined)[];
  }

  type Input = string | Init;

  function toInput(value: unknown, what: string): Input {
    if (value !== undefined && value !== null && typeof value !== 'object' && typeof value !== 'function') {
      return toUSVString(value);
    }
    const dictionary = toDictionary(value, what);
    const given: Record<string, string> = {};
    const members: (string | undefined)[] = new Array(MEMBERS.length).fill(undefined);
    if (dictionary === undefined) return { given, members };
    for (const name of SORTED_MEMBERS) {
      const member = dictionary[name];
      if (member === undefined) continue;
      members[MEMBERS.indexOf(name)] = given[name] = toUSVString(member);
    }
    return { given, members };
  }

  const forHost = (input: Input) => (typeof input === 'string' ? input : input.members);

  function compile(
    component: { pattern: string; regExp: string; names: string[] },
    flags: string,
  ): Component {
    const { pattern, regExp, names } = component;
    if (regExp === ANYTHING) return { pattern, regExp: null, names };
    try {
      return { pattern, regExp: new RegExp(regExp, flags), names };
    } catch {
      throw new TypeError(
        `Failed to construct 'URLPattern': '${pattern}' has an invalid regular expression.`,
      );
    }
  }

  class URLPattern {
    #components: Component[];
    #hasRegExpGroups: boolean;

    constructor(input: unknown = undefined, ...rest: unknown[]) {
      const what = "Failed to construct 'URLPattern'";
      const second = rest[0];
      const hasBase =
        rest.length > 1 ||
        (second !== undefined && second !== null && !isObject(second) && rest.length === 1);
      const pattern = toInput(input, `${what}: parameter 1`);
      const base = hasBase ? toUSVString(second) : undefined;
      const options = toDictionary(hasBase ? rest[1] : second, `${what}: the options`);
      const ignoreCase = Boolean(options?.ignoreCase);
      if (base !== undefined && typeof pattern !== 'string') {
        throw new TypeError(`${what}: a base URL beside an object must be the object's own.`);
      }
      const parsed = host.urlPatternParse(forHost(pattern), base, ignoreCase);
      this.#hasRegExpGroups = parsed[0] as boolean;
      this.#components = COMPONENTS.map((name, index) => {
        const [text, regExp, names] = parsed.slice(1 + index * 3, 4 + index * 3) as [
          string,
          string,
          string[],
        ];
        // Only what no server compares without case either.
        const canIgnore = name === 'pathname' || name === 'search' || name === 'hash';
        return compile({ pattern: text, regExp, names }, ignoreCase && canIgnore ? 'vi' : 'v');
      });
    }

    get protocol(): string {
      return this.#components[0].pattern;
    }
    get username(): string {
      return this.#components[1].pattern;
    }
    get password(): string {
      return this.#components[2].pattern;
    }
    get hostname(): string {
      return this.#components[3].pattern;
    }
    get port(): string {
      return this.#components[4].pattern;
    }
    get pathname(): string {
      return this.#components[5].pattern;
    }
    get search(): string {
      return this.#components[6].pattern;
    }
    get hash(): string {
      return this.#components[7].pattern;
    }
    get hasRegExpGroups(): boolean {
      return this.#hasRegExpGroups;
    }

    test(input: unknown = undefined, baseURL: unknown = undefined): boolean {
      const components = this.#components;
      return match(components, input, baseURL, "Failed to execute 'test' on 'URLPattern'") !== null;
    }

    exec(input: unknown = undefined, baseURL: unknown = undefined): object | null {
      const components = this.#components;
      const found = match(components, input, baseURL, "Failed to execute 'exec' on 'URLPattern'");
      return found === null ? null : resultOf(components, found);
    }
  }

  interface Found {
    readonly inputs: unknown[];
    readonly texts: readonly string[];
    /** What the groups of each component matched. */
    readonly groups: (string | undefined)[][];
  }

  function match(
    components: readonly Component[],
    input: unknown,
    baseURL: unknown,
    what: string,
  ): Found | null {
    const given = toInput(input, `${what}: parameter 1`);
    const base = baseURL === undefined ? undefined : toUSVString(baseURL);
    if (base !== undefined && typeof given !== 'string') {
      throw new TypeError(`${what}: a base URL beside an object must be the object's own.`);
    }
    const texts = host.urlPatternInput(forHost(given), base);
    if (texts === null) return null;
    const groups: (string | undefined)[][] = [];
    for (let index = 0; index < components.length; index++) {
      const { regExp } = components[index];
      if (regExp === null) {
        groups.push([texts[index]]);
        continue;
      }
      const result: RegExpExecArray | null = Reflect.apply(exec, regExp, [texts[index]]);
      if (result === null) return null;
      groups.push(result.slice(1));
    }
    const inputs: unknown[] = [typeof given === 'string' ? given : given.given];
    if (base !== undefined) inputs.push(base);
    return { inputs, texts, groups };
  }

  function resultOf(components: readonly Component[], found: Found): object {
    const parts: Record<string, unknown> = { inputs: found.inputs };
    for (const [index, name] of COMPONENTS.entries()) {
      const groups: Record<string, string | undefined> = {};
      components[index].names.forEach((group, at) => {
        const value = found.groups[index][at];
        Object.defineProperty(groups, group, { value, writable: true, enumerable: true, configurable: true });
      });
      parts[name] = { groups, input: found.texts[index] };
    }
    return Object.fromEntries(
      Object.keys(parts)
        .sort()
        .map((name) => [name, parts[name]]),
    );
  }

  function isObject(value: unknown): boolean {
    return typeof value === 'object' || typeof value === 'function';
  }

  finishInterface(URLPattern);
  return { URLPattern };
});
interface Families {
  url_pattern: FamilyOf<typeof urlPatternFamily>;
}
