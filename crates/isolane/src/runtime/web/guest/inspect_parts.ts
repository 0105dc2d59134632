// Owns what inspect shows of every object: its class, its own properties, and the text of an error.
// Runs on the isolate's thread.

const inspectPartsFamily = define('inspect_parts', {}, (use, host) => {
  const { isPlatformPrototype, pairReaderOf } = use('webidl');
  const { Kind } = use('value_kind');

  const MAX_KEYS = 100;
  const LARGE_ARRAY = 10_000;
  /** Accessors of platform objects that make something when they are read. */
  const lazyAccessors = new Set(['body', 'signal', 'closed', 'ready', 'readable', 'writable']);

  function isProxy(value: object): boolean {
    return host.valueKind(value) === Kind.Proxy;
  }

  /** The prototypes of a value, up to one that is a proxy. */
  function prototypesOf(value: object): object[] {
    const prototypes: object[] = [];
    let at: object | null = Object.getPrototypeOf(value);
    while (at !== null && !isProxy(at) && prototypes.length < 100) {
      prototypes.push(at);
      at = Object.getPrototypeOf(at);
    }
    return prototypes;
  }

  /** An own data property that is a string, else ''. */
  function ownText(value: object, key: PropertyKey): string {
    if (isProxy(value)) return '';
    const text = Object.getOwnPropertyDescriptor(value, key)?.value;
    return typeof text === 'string' ? text : '';
  }

  /** The name of the constructor that a value inherits, null where it has none. */
  function classOf(value: object): string | null {
    for (const holder of prototypesOf(value)) {
      const constructor = Object.getOwnPropertyDescriptor(holder, 'constructor')?.value;
      if (typeof constructor !== 'function') continue;
      const name = ownText(constructor, 'name');
      if (name !== '') return name;
    }
    return null;
  }

  /** The class name with the toStringTag where that says something else. */
  function tagged(value: object, name: string | null, plain: string): string {
    const title = name ?? `[${plain}: null prototype]`;
    for (const holder of [value, ...prototypesOf(value)]) {
      const tag = ownText(holder, Symbol.toStringTag);
      if (tag !== '') return tag === name || tag === plain ? title : `${title} [${tag}]`;
    }
    return title;
  }

  /** `key: value` of each own enumerable property, and of the attributes of a platform object. */
  function ownEntries(value: object, kind: number, show: (part: unknown) => string): string[] {
    const entries = attributeEntries(value, kind, show);
    const isIndexed = kind === Kind.Array || kind === Kind.View || kind === Kind.Arguments;
    if (isIndexed && lengthOf(value) > LARGE_ARRAY) return entries;
    for (const key of Reflect.ownKeys(value)) {
      if (isIndexed && typeof key === 'string' && isIndex(key)) continue;
      if (kind === Kind.Boxed && typeof key === 'string' && isIndex(key)) continue;
      const descriptor = descriptorOf(value, key);
      if (descriptor !== null && !isShown(key, kind, descriptor)) continue;
      if (entries.length >= MAX_KEYS) {
        entries.push('...');
        break;
      }
      const isHidden = descriptor !== null && !descriptor?.enumerable;
      entries.push(
        `${keyText(key, isHidden)}: ${descriptor === null ? '<uninitialized>' : slotText(descriptor, show)}`,
      );
    }
    return entries;
  }

  function lengthOf(value: object): number {
    const length = (value as { length?: unknown }).length;
    return typeof length === 'number' ? length : 0;
  }

  function isIndex(key: string): boolean {
    return /^(?:0|[1-9]\d*)$/.test(key);
  }

  /** Null where the property exists and cannot be read: a module's export before its initialization. */
  function descriptorOf(value: object, key: PropertyKey): PropertyDescriptor | null {
    try {
      return Object.getOwnPropertyDescriptor(value, key) ?? null;
    } catch {
      return null;
    }
  }

  function isShown(key: PropertyKey, kind: number, descriptor: PropertyDescriptor): boolean {
    if (key === 'isTrusted' && !descriptor.configurable) return false;
    if (kind !== Kind.Error) return Boolean(descriptor.enumerable);
    if (key === 'stack' || key === 'message') return false;
    return key === 'cause' || key === 'errors' || Boolean(descriptor.enumerable);
  }

  function keyText(key: string | symbol, isHidden: boolean): string {
    if (typeof key === 'symbol') return `[${String(key)}]`;
    if (isHidden) return `[${key}]`;
    return /^[a-zA-Z_$][\w$]*$/.test(key) ? key : use('inspect').showString(key);
  }

  function slotText(descriptor: PropertyDescriptor, show: (part: unknown) => string): string {
    if ('value' in descriptor) return show(descriptor.value);
    if (descriptor.get === undefined) return '[Setter]';
    return descriptor.set === undefined ? '[Getter]' : '[Getter/Setter]';
  }

  /** The attributes that the runtime's own classes define: their getters are the runtime's code. */
  function attributeEntries(value: object, kind: number, show: (part: unknown) => string): string[] {
    if (kind !== Kind.Ordinary) return [];
    const entries: string[] = [];
    for (const prototype of prototypesOf(value)) {
      if (!isPlatformPrototype(prototype)) continue;
      for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
        if (get === undefined || name.startsWith('on') || lazyAccessors.has(name)) continue;
        try {
          const part: unknown = Reflect.apply(get, value, []);
          entries.push(`${name}: ${show(part)}`);
        } catch {
          // An object that only inherits from the class.
        }
      }
    }
    return entries;
  }

  /** The pairs of one of the runtime's pair iterables, undefined for all else. */
  function pairsOf(value: object): (readonly [unknown, unknown])[] | undefined {
    for (const prototype of prototypesOf(value)) {
      const pairAt = pairReaderOf(prototype);
      if (pairAt === undefined) continue;
      const pairs: (readonly [unknown, unknown])[] = [];
      for (let pair; (pair = pairAt(value as never, pairs.length)) !== undefined; ) pairs.push(pair);
      return pairs;
    }
    return undefined;
  }

  /** The stack of an error, or its name and message where it has none. */
  function errorText(error: object): string {
    const stack = stackOf(error);
    if (stack !== '') return stack;
    const name = inheritedText(error, 'name') || 'Error';
    const message = inheritedText(error, 'message');
    return `[${message === '' ? name : `${name}: ${message}`}]`;
  }

  function inheritedText(value: object, key: string): string {
    for (const holder of [value, ...prototypesOf(value)]) {
      if (Object.hasOwn(holder, key)) return ownText(holder, key);
    }
    return '';
  }

  let stackGetter: unknown;

  /** The stack, which newer versions of V8 keep behind an own accessor of the language's making. */
  function stackOf(error: object): string {
    const descriptor = Object.getOwnPropertyDescriptor(error, 'stack');
    if (descriptor === undefined) return '';
    if (typeof descriptor.value === 'string') return descriptor.value;
    stackGetter ??= Object.getOwnPropertyDescriptor(new Error(), 'stack')?.get;
    if (descriptor.get === undefined || descriptor.get !== stackGetter) return '';
    try {
      const stack: unknown = Reflect.apply(descriptor.get, error, []);
      return typeof stack === 'string' ? stack : '';
    } catch {
      return '';
    }
  }

  return { classOf, tagged, ownText, ownEntries, pairsOf, errorText };
});
interface Families {
  inspect_parts: FamilyOf<typeof inspectPartsFamily>;
}
