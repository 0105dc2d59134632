// How the init of a Request is read (Fetch standard, section 5.4): conversion of each member, and the
// checks between them.
// Runs in a guest's context, on whichever thread has its isolate entered.

/** A RequestInit after conversion; what is undefined was not given. */
interface ConvertedRequestInit {
  readonly settings: Readonly<RequestSettings>;
  readonly body: unknown;
  readonly duplex: 'half' | undefined;
  readonly headers: readonly string[] | undefined;
  readonly method: string | undefined;
  readonly signal: AbortSignalObject | null | undefined;
}

const requestInitFamily = define('request_init', { globals: {} }, (use) => {
  const { toByteString, toEnum, toUSVString } = use('webidl');

  const caches = ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'] as const;
  const credentialModes = ['omit', 'same-origin', 'include'] as const;
  const modes = ['navigate', 'same-origin', 'no-cors', 'cors'] as const;
  const priorities = ['high', 'low', 'auto'] as const;
  const redirects = ['follow', 'error', 'manual'] as const;
  const referrerPolicies = [
    '',
    'no-referrer',
    'no-referrer-when-downgrade',
    'same-origin',
    'origin',
    'strict-origin',
    'origin-when-cross-origin',
    'strict-origin-when-cross-origin',
    'unsafe-url',
  ] as const;
  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

  /** Converts `members`; what they leave out of the settings is as in `base`. */
  function toRequestInit(
    members: Record<string, unknown>,
    base: Readonly<RequestSettings>,
  ): ConvertedRequestInit {
    // Web IDL reads and converts a dictionary's members in the order of their names.
    const { body, cache, credentials } = members;
    const settings: RequestSettings = { ...base };
    if (cache !== undefined) settings.cache = toEnum(cache, caches, 'cache');
    if (credentials !== undefined) settings.credentials = toEnum(credentials, credentialModes, 'credentials');
    const { duplex } = members;
    if (duplex !== undefined) toEnum(duplex, ['half'], 'duplex');
    const { headers } = members;
    const list = headers === undefined ? undefined : use('headers').flatFromInit(headers);
    const { integrity, keepalive } = members;
    if (integrity !== undefined) settings.integrity = use('webidl').toDOMString(integrity);
    if (keepalive !== undefined) settings.keepalive = Boolean(keepalive);
    const { method } = members;
    const normalized = method === undefined ? undefined : normalizeMethod(toByteString(method, 'method'));
    const { mode } = members;
    if (mode !== undefined) settings.mode = toMode(mode);
    const { priority } = members;
    if (priority !== undefined) toEnum(priority, priorities, 'priority');
    const { redirect, referrer, referrerPolicy } = members;
    if (redirect !== undefined) settings.redirect = toEnum(redirect, redirects, 'redirect');
    if (referrer !== undefined) settings.referrer = toReferrer(referrer);
    if (referrerPolicy !== undefined) {
      settings.referrerPolicy = toEnum(referrerPolicy, referrerPolicies, 'referrerPolicy');
    }
    const signal = toSignal(members.signal);
    const { window } = members;
    if (window !== undefined && window !== null) {
      throw new TypeError('The window of a request can only be null');
    }
    if (settings.cache === 'only-if-cached' && settings.mode !== 'same-origin') {
      throw new TypeError("cache 'only-if-cached' needs mode 'same-origin'");
    }
    return {
      settings,
      body,
      duplex: duplex === undefined ? undefined : 'half',
      headers: list,
      method: normalized,
      signal,
    };
  }

  function toMode(value: unknown): string {
    const mode = toEnum(value, modes, 'mode');
    if (mode === 'navigate') throw new TypeError("The mode of a request cannot be 'navigate'");
    return mode;
  }

  function normalizeMethod(method: string): string {
    if (!token.test(method)) throw new TypeError(`'${method}' is not a valid method`);
    const upper = method.toUpperCase();
    switch (upper) {
      case 'CONNECT':
      case 'TRACE':
      case 'TRACK':
        throw new TypeError(`The method ${upper} is not allowed`);
      case 'DELETE':
      case 'GET':
      case 'HEAD':
      case 'OPTIONS':
      case 'POST':
      case 'PUT':
        return upper;
      default:
        return method;
    }
  }

  function toReferrer(value: unknown): string {
    const text = toUSVString(value);
    if (text === '') return '';
    const href = use('url').parseHref(text);
    if (href === null) throw new TypeError('The referrer is not a valid URL');
    return href;
  }

  function toSignal(value: unknown): AbortSignalObject | null | undefined {
    if (value === undefined || value === null) return value;
    if (!use('abort').isAbortSignal(value)) {
      throw new TypeError('The signal of a request is not an AbortSignal');
    }
    return value;
  }

  return { toRequestInit };
});
interface Families {
  request_init: FamilyOf<typeof requestInitFamily>;
}
