// Owns the guards in front of natives of V8 that do not look at the clock, or that end the process where a
// length is too much for them: `[].indexOf.call({ length: 2 ** 53 - 1 })` runs for years, and nothing ends it.
// What is of ordinary length goes to V8's own at once. Runs on the isolate's thread, when a context is made.

interface Host {
  /** Throws a RangeError where V8 is not to parse that text (json.rs). */
  jsonCheck(text: string): void;
}

const nativeGuardsFamily = define('native_guards', {}, (_use, host) => {
  /** The longest that V8 is given: its elements take a quarter of a gigabyte. */
  const MAX_LENGTH = 2 ** 25;
  /** The longest text that may become as many elements as it has characters. */
  const MAX_TEXT = 2 ** 26;
  /** The longest JSON text that has few levels and parts for sure. */
  const SHORT_JSON = 2 ** 17;

  const { apply, defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
  const { isArray } = Array;
  const iterator: typeof Symbol.iterator = Symbol.iterator;
  const uncurried = <F extends Function>(native: F) =>
    Function.prototype.call.bind(native) as (self: unknown, ...args: unknown[]) => never;
  const natives = Array.prototype;
  const nativeFrom = uncurried(Array.from);
  const nativeRaw = String.raw;
  const nativeParse = JSON.parse;
  const nativeSplit = uncurried(String.prototype.split);
  const nativeMatch = uncurried(String.prototype.match);
  const concat = uncurried(natives.concat);
  const copyWithin = uncurried(natives.copyWithin);
  const every = uncurried(natives.every);
  const fill = uncurried(natives.fill);
  const filter = uncurried(natives.filter);
  const find = uncurried(natives.find);
  const findIndex = uncurried(natives.findIndex);
  const findLast = uncurried(natives.findLast);
  const findLastIndex = uncurried(natives.findLastIndex);
  const flat = uncurried(natives.flat);
  const flatMap = uncurried(natives.flatMap);
  const forEach = uncurried(natives.forEach);
  const includes = uncurried(natives.includes);
  const indexOf = uncurried(natives.indexOf);
  const join = uncurried(natives.join);
  const lastIndexOf = uncurried(natives.lastIndexOf);
  const map = uncurried(natives.map);
  const reduce = uncurried(natives.reduce);
  const reduceRight = uncurried(natives.reduceRight);
  const reverse = uncurried(natives.reverse);
  const shift = uncurried(natives.shift);
  const slice = uncurried(natives.slice);
  const some = uncurried(natives.some);
  const sort = uncurried(natives.sort);
  const splice = uncurried(natives.splice);
  const toLocaleString = uncurried(natives.toLocaleString);
  const toReversed = uncurried(natives.toReversed);
  const toSorted = uncurried(natives.toSorted);
  const toSpliced = uncurried(natives.toSpliced);
  const unshift = uncurried(natives.unshift);
  const withElement = uncurried(natives.with);

  function tooLong(what: string): never {
    throw new RangeError(`Invalid ${what} length`);
  }

  /** Throws where V8 would take too long with the elements of a receiver. */
  function check(self: unknown): void {
    const list = self as ArrayLike<unknown> | null | undefined;
    if (list !== null && list !== undefined && list.length > MAX_LENGTH) tooLong('array');
  }

  /** A text that V8 may take apart. */
  function checkedText(value: unknown): unknown {
    if (value === null || value === undefined) return value;
    const text = typeof value === 'string' ? value : `${value as string}`;
    return text.length > MAX_TEXT ? tooLong('string') : text;
  }

  /** Throws where a flattened array would be too long; the count so far. */
  function countFlattened(counted: number, source: unknown[], depth: number): number {
    check(source);
    for (let index = 0; index < source.length; index++) {
      const value = source[index];
      if (depth > 0 && isArray(value)) counted = countFlattened(counted, value, depth - 1);
      else if (++counted > MAX_LENGTH) tooLong('array');
    }
    return counted;
  }

  type Self = unknown;
  const methods = {
    concat(this: Self, item: unknown, ...items: unknown[]) {
      check(this);
      return arguments.length === 0 ? concat(this) : concat(this, item, ...items);
    },
    copyWithin(this: Self, target: unknown, start: unknown, end: unknown = undefined) {
      check(this);
      return copyWithin(this, target, start, end);
    },
    every(this: Self, callback: unknown, thisArg: unknown = undefined) {
      check(this);
      return every(this, callback, thisArg);
    },
    fill(this: Self, value: unknown, start: unknown = undefined, end: unknown = undefined) {
      check(this);
      return fill(this, value, start, end);
    },
    filter(this: Self, callback: unknown, thisArg: unknown = undefined) {
      check(this);
      return filter(this, callback, thisArg);
    },
    find(this: Self, callback: unknown, thisArg: unknown = undefined) {
      check(this);
      return find(this, callback, thisArg);
    },
    findIndex(this: Self, callback: unknown, thisArg: unknown = undefined) {
      check(this);
      return findIndex(this, callback, thisArg);
    },
    findLast(this: Self, callback: unknown, thisArg: unknown = undefined) {
      check(this);
      return findLast(this, callback, thisArg);
    },
    findLastIndex(this: Self, callback: unknown, thisArg: unknown = undefined) {
      check(this);
      return findLastIndex(this, callback, thisArg);
    },
    flat(this: Self, depth: unknown = undefined) {
      const levels = depth === undefined ? 1 : Math.trunc(Number(depth)) || 0;
      if (isArray(this)) countFlattened(0, this, levels);
      else check(this);
      return flat(this, levels);
    },
    flatMap(this: Self, callback: unknown, thisArg: unknown = undefined) {
      check(this);
      if (typeof callback !== 'function') return flatMap(this, callback);
      let counted = 0;
      return flatMap(this, (value: unknown, index: number, source: unknown) => {
        const mapped: unknown = apply(callback, thisArg, [value, index, source]);
        if (isArray(mapped) && (counted += mapped.length) > MAX_LENGTH) tooLong('array');
        return mapped;
      });
    },
    forEach(this: Self, callback: unknown, thisArg: unknown = undefined) {
      check(this);
      return forEach(this, callback, thisArg);
    },
    includes(this: Self, wanted: unknown, from: unknown = undefined) {
      check(this);
      return includes(this, wanted, from);
    },
    indexOf(this: Self, wanted: unknown, from: unknown = undefined) {
      check(this);
      return indexOf(this, wanted, from);
    },
    join(this: Self, separator: unknown) {
      check(this);
      return join(this, separator);
    },
    lastIndexOf(this: Self, wanted: unknown, from: unknown = undefined) {
      check(this);
      return arguments.length < 2 ? lastIndexOf(this, wanted) : lastIndexOf(this, wanted, from);
    },
    map(this: Self, callback: unknown, thisArg: unknown = undefined) {
      check(this);
      return map(this, callback, thisArg);
    },
    reduce(this: Self, callback: unknown, initial: unknown = undefined) {
      check(this);
      return arguments.length < 2 ? reduce(this, callback) : reduce(this, callback, initial);
    },
    reduceRight(this: Self, callback: unknown, initial: unknown = undefined) {
      check(this);
      return arguments.length < 2 ? reduceRight(this, callback) : reduceRight(this, callback, initial);
    },
    reverse(this: Self) {
      check(this);
      return reverse(this);
    },
    shift(this: Self) {
      check(this);
      return shift(this);
    },
    slice(this: Self, start: unknown, end: unknown) {
      check(this);
      return slice(this, start, end);
    },
    some(this: Self, callback: unknown, thisArg: unknown = undefined) {
      check(this);
      return some(this, callback, thisArg);
    },
    sort(this: Self, comparator: unknown) {
      check(this);
      return sort(this, comparator);
    },
    splice(this: Self, start: unknown, count: unknown, ...items: unknown[]) {
      check(this);
      if (arguments.length > 1) return splice(this, start, count, ...items);
      return arguments.length === 0 ? splice(this) : splice(this, start);
    },
    toLocaleString(this: Self, ...args: unknown[]) {
      check(this);
      return toLocaleString(this, ...args);
    },
    toReversed(this: Self) {
      check(this);
      return toReversed(this);
    },
    toSorted(this: Self, comparator: unknown) {
      check(this);
      return toSorted(this, comparator);
    },
    toSpliced(this: Self, start: unknown, count: unknown, ...items: unknown[]) {
      check(this);
      if (arguments.length > 1) return toSpliced(this, start, count, ...items);
      return arguments.length === 0 ? toSpliced(this) : toSpliced(this, start);
    },
    unshift(this: Self, item: unknown, ...items: unknown[]) {
      check(this);
      return arguments.length === 0 ? unshift(this) : unshift(this, item, ...items);
    },
    with(this: Self, index: unknown, value: unknown) {
      check(this);
      return withElement(this, index, value);
    },
  };

  const texts = {
    match(this: Self, pattern: unknown) {
      return nativeMatch(checkedText(this), pattern);
    },
    split(this: Self, separator: unknown, limit: unknown) {
      return nativeSplit(checkedText(this), separator, limit);
    },
  };

  const statics = {
    from(this: Self, items: unknown, mapper: unknown = undefined, thisArg: unknown = undefined) {
      const isIterable = (items as Iterable<unknown> | null | undefined)?.[iterator];
      if (isIterable === undefined || isIterable === null) check(items);
      return nativeFrom(this, items, mapper, thisArg);
    },
  };
  const raw = {
    raw(template: { raw: readonly string[] }, ...substitutions: unknown[]) {
      check(template?.raw);
      return nativeRaw(template, ...substitutions);
    },
  };
  const json = {
    parse(text: unknown, reviver: unknown) {
      const checked = checkedText(text);
      if (typeof checked === 'string' && checked.length >= SHORT_JSON) host.jsonCheck(checked);
      return nativeParse(checked as string, reviver as undefined) as unknown;
    },
  };

  /** Puts the guards where V8's own were. */
  function install(holder: object, guards: object): void {
    for (const key of ownKeys(guards)) {
      const { value } = getOwnPropertyDescriptor(guards, key)!;
      defineProperty(holder, key, { value, writable: true, enumerable: false, configurable: true });
    }
  }
  install(Array.prototype, methods);
  install(String.prototype, texts);
  install(Array, statics);
  install(String, raw);
  install(JSON, json);

  return {};
});
interface Families {
  native_guards: FamilyOf<typeof nativeGuardsFamily>;
}
