// Owns what the Web IDL specification asks of every interface: property attributes, conversions of
// arguments, pair iterators, and the registry of platform classes. Runs on the isolate's thread.

/** The bytes-like values of Web IDL; views of shared memory are not among them. */
type BufferSource = ArrayBuffer | ArrayBufferView<ArrayBuffer>;

/** How the conversion to an integer type treats values outside of its range. */
interface IntegerOptions {
  /** Throws where the value is not a finite number in range. */
  enforceRange?: boolean;
  /** Rounds to the nearest value in range. */
  clamp?: boolean;
}

/** How instances of a platform class are copied by structuredClone. */
interface CloneSteps {
  /** Copies `value`; `clone` copies what it is made of. */
  clone(value: never, clone: (part: unknown) => unknown): object;
}

/** How instances of a platform class are taken along by postMessage and structuredClone. */
interface TransferSteps {
  readonly name: string;
  has(value: object): boolean;
  isDetached(value: never): boolean;
  /** Makes the object that lives on; `value` is detached after. */
  transfer(value: never): object;
}

/** Reads a pair iterable: the pair at an index, or undefined past the end. */
type PairReader = (self: never, index: number) => readonly [unknown, unknown] | undefined;

const webidlFamily = define('webidl', { globals: {} }, () => {
  /** The token without which constructors that guests may not call throw. */
  const internal: unique symbol = Symbol('internal');

  const platformClasses = new Map<object, CloneSteps | null>();
  const transferables: TransferSteps[] = [];
  const pairReaders = new Map<object, PairReader>();
  const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype);
  const bufferByteLength = getterOf(ArrayBuffer.prototype, 'byteLength');
  const viewTag = getterOf(typedArrayPrototype, Symbol.toStringTag);
  const sharedByteLength =
    typeof SharedArrayBuffer === 'undefined' ? null : getterOf(SharedArrayBuffer.prototype, 'byteLength');

  function getterOf(holder: object, key: PropertyKey): (this: unknown) => unknown {
    return Object.getOwnPropertyDescriptor(holder, key)!.get!;
  }

  /** Throws unless a constructor was called with the `internal` token. */
  function illegalConstructor(token: unknown): void {
    if (token !== internal) throw new TypeError('Illegal constructor');
  }

  /** Gives members of a class the attributes that Web IDL asks for, and its prototype the toStringTag. */
  function finishInterface(C: Function, name: string = C.name): void {
    makeEnumerable(C, (key) => key !== 'prototype' && key !== 'name' && key !== 'length');
    makeEnumerable(C.prototype, (key) => key !== 'constructor');
    setTag(C.prototype, name);
    platformClasses.set(C.prototype, platformClasses.get(C.prototype) ?? null);
  }

  function makeEnumerable(holder: object, wanted: (key: string) => boolean): void {
    for (const key of Object.getOwnPropertyNames(holder)) {
      if (wanted(key)) Object.defineProperty(holder, key, { enumerable: true });
    }
  }

  /** Sets Symbol.toStringTag as Web IDL wants it: configurable only. */
  function setTag(holder: object, name: string): void {
    Object.defineProperty(holder, Symbol.toStringTag, {
      value: name,
      writable: false,
      enumerable: false,
      configurable: true,
    });
  }

  /** Defines the constants of an interface, on the class and on its prototype. */
  function defineConstants(C: Function, constants: Record<string, number>): void {
    for (const name of Object.keys(constants)) {
      const descriptor = { value: constants[name], writable: false, enumerable: true, configurable: false };
      Object.defineProperty(C, name, descriptor);
      Object.defineProperty(C.prototype, name, descriptor);
    }
  }

  /** Makes instances of a finished class serializable for structuredClone. */
  function makeCloneable(C: Function, steps: CloneSteps): void {
    platformClasses.set(C.prototype, steps);
  }

  /** The clone steps of a platform object, null where it has none, undefined for objects of guests. */
  function cloneStepsOf(value: object): CloneSteps | null | undefined {
    for (let at = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) {
      const steps = platformClasses.get(at);
      if (steps !== undefined) return steps;
    }
    return undefined;
  }

  /** Makes instances of a class transferable. */
  function makeTransferable(steps: TransferSteps): void {
    transferables.push(steps);
  }

  /** The transfer steps of a platform object, undefined where it has none. */
  function transferStepsOf(value: object): TransferSteps | undefined {
    for (const steps of transferables) if (steps.has(value)) return steps;
    return undefined;
  }

  /** How to read the pairs of a class that `makePairIterable` has made iterable. */
  function pairReaderOf(prototype: object): PairReader | undefined {
    return pairReaders.get(prototype);
  }

  /** Whether a prototype is one that `finishInterface` has finished. */
  function isPlatformPrototype(prototype: object): boolean {
    return platformClasses.has(prototype);
  }

  /** Throws unless `given` arguments are at least `required`; `what` is like "Failed to execute 'f' on 'C'". */
  function requireArguments(required: number, given: number, what: string): void {
    if (given >= required) return;
    const noun = required === 1 ? 'argument' : 'arguments';
    throw new TypeError(`${what}: ${required} ${noun} required, but only ${given} present.`);
  }

  function toDOMString(value: unknown): string {
    if (typeof value === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
    return `${value as string}`;
  }

  function toUSVString(value: unknown): string {
    return toDOMString(value).toWellFormed();
  }

  /** Converts to a string of which every code unit is a byte. */
  function toByteString(value: unknown, what = 'Value'): string {
    const text = toDOMString(value);
    for (let i = 0; i < text.length; i++) {
      if (text.charCodeAt(i) > 255) {
        throw new TypeError(`${what} is not a valid ByteString: the character at index ${i} is above 255.`);
      }
    }
    return text;
  }

  function toInteger(value: unknown, min: number, max: number, options?: IntegerOptions): number {
    let number = +(value as number);
    if (options?.enforceRange) {
      if (!Number.isFinite(number)) throw new TypeError('Value is not a finite number.');
      number = Math.trunc(number);
      if (number < min || number > max) throw new TypeError(`Value is outside the range [${min}, ${max}].`);
      return number + 0;
    }
    if (options?.clamp) {
      if (Number.isNaN(number)) return 0;
      return roundHalfToEven(Math.min(Math.max(number, min), max));
    }
    if (!Number.isFinite(number)) return 0;
    number = Math.trunc(number);
    if (number >= min && number <= max) return number + 0;
    const span = max === Number.MAX_SAFE_INTEGER ? 2 ** 64 : max - min + 1;
    const wrapped = number - Math.floor(number / span) * span;
    return min < 0 && wrapped > max ? wrapped - span : wrapped;
  }

  function roundHalfToEven(number: number): number {
    const floor = Math.floor(number);
    const rest = number - floor;
    if (rest !== 0.5) return Math.round(number) + 0;
    return floor % 2 === 0 ? floor + 0 : floor + 1;
  }

  const toOctet = (value: unknown, options?: IntegerOptions) => toInteger(value, 0, 0xff, options);
  const toUnsignedShort = (value: unknown, options?: IntegerOptions) => toInteger(value, 0, 0xffff, options);
  const toLong = (value: unknown, options?: IntegerOptions) =>
    options === undefined ? (value as number) | 0 : toInteger(value, -0x8000_0000, 0x7fff_ffff, options);
  const toUnsignedLong = (value: unknown, options?: IntegerOptions) =>
    options === undefined ? (value as number) >>> 0 : toInteger(value, 0, 0xffff_ffff, options);
  const toLongLong = (value: unknown, options?: IntegerOptions) =>
    toInteger(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, options);
  const toUnsignedLongLong = (value: unknown, options?: IntegerOptions) =>
    toInteger(value, 0, Number.MAX_SAFE_INTEGER, options);

  /** Converts to a finite number. */
  function toDouble(value: unknown, what = 'Value'): number {
    const number = +(value as number);
    if (!Number.isFinite(number)) throw new TypeError(`${what} is not a finite floating-point value.`);
    return number;
  }

  /** The object to read a dictionary's members from, or undefined where all have their defaults. */
  function toDictionary(value: unknown, what = 'Value'): Record<string, unknown> | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'object' || typeof value === 'function') return value as Record<string, unknown>;
    throw new TypeError(`${what} is not an object.`);
  }

  /** Converts to one of the values of an enumeration. */
  function toEnum<T extends string>(value: unknown, allowed: readonly T[], what: string): T {
    const text = toDOMString(value);
    for (const one of allowed) if (one === text) return one;
    throw new TypeError(`${what}: '${text}' is not a valid value.`);
  }

  /** Throws unless the value can be called. */
  function toFunction(value: unknown, what: string): (...args: unknown[]) => unknown {
    if (typeof value !== 'function') throw new TypeError(`${what} is not a function.`);
    return value as (...args: unknown[]) => unknown;
  }

  /** Converts an iterable to an array, each item with `convert`. */
  function toSequence<T>(value: unknown, convert: (item: unknown) => T, what = 'Value'): T[] {
    const method =
      value !== null && (typeof value === 'object' || typeof value === 'function')
        ? (value as Iterable<unknown>)[Symbol.iterator]
        : undefined;
    if (typeof method !== 'function') throw new TypeError(`${what} is not iterable.`);
    const items: T[] = [];
    for (const item of { [Symbol.iterator]: () => Reflect.apply(method, value, []) as Iterator<unknown> }) {
      items.push(convert(item));
    }
    return items;
  }

  /** Converts an object to a list of its own enumerable properties, each name and value converted. */
  function toRecord<K, V>(
    value: object,
    convertKey: (key: string) => K,
    convertValue: (item: unknown) => V,
  ): [K, V][] {
    const pairs: [K, V][] = [];
    for (const key of Reflect.ownKeys(value)) {
      const descriptor = Reflect.getOwnPropertyDescriptor(value, key);
      if (descriptor === undefined || !descriptor.enumerable) continue;
      const converted = convertKey(toDOMString(key));
      pairs.push([converted, convertValue((value as Record<PropertyKey, unknown>)[key])]);
    }
    return pairs;
  }

  function isArrayBuffer(value: unknown): value is ArrayBuffer {
    return hasBrand(value, bufferByteLength);
  }

  function isSharedArrayBuffer(value: unknown): boolean {
    return sharedByteLength !== null && hasBrand(value, sharedByteLength);
  }

  function hasBrand(value: unknown, getter: (this: unknown) => unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    try {
      Reflect.apply(getter, value, []);
      return true;
    } catch {
      return false;
    }
  }

  /** The class name of a typed array whatever its prototype is, undefined for all else. */
  function typedArrayName(value: unknown): string | undefined {
    return Reflect.apply(viewTag, value, []) as string | undefined;
  }

  function isBufferSource(value: unknown): value is BufferSource {
    if (ArrayBuffer.isView(value)) return !isSharedArrayBuffer(value.buffer);
    return isArrayBuffer(value);
  }

  /** Throws unless the value is a buffer source over memory that is not shared. */
  function toBufferSource(value: unknown, what = 'Value'): BufferSource {
    if (isBufferSource(value)) return value;
    throw new TypeError(`${what} is not an ArrayBuffer or a view of one.`);
  }

  /** The bytes of a buffer source, as a view of the same memory (empty where it is detached). */
  function viewBytes(source: BufferSource): Uint8Array<ArrayBuffer> {
    if (!ArrayBuffer.isView(source)) return source.detached ? new Uint8Array(0) : new Uint8Array(source);
    return source.buffer.detached
      ? new Uint8Array(0)
      : new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  }

  /** The bytes of a buffer source, as a copy. */
  function copyBytes(source: BufferSource): Uint8Array<ArrayBuffer> {
    return new Uint8Array(viewBytes(source));
  }

  /**
   * Adds entries, keys, values, forEach and Symbol.iterator to a class that is a pair iterable.
   * `pairAt` gives the pair at an index, or undefined past the end; it also checks the brand of `self`.
   * Call it before `finishInterface`.
   */
  function makePairIterable<T extends object>(
    C: { readonly prototype: T; readonly name: string },
    pairAt: (self: T, index: number) => readonly [unknown, unknown] | undefined,
  ): void {
    pairReaders.set(C.prototype, pairAt);
    type Kind = 'key' | 'value' | 'entry';
    class PairIterator {
      #target: T;
      #kind: Kind;
      #index = 0;
      constructor(target: T, kind: Kind) {
        this.#target = target;
        this.#kind = kind;
      }
      next(): IteratorResult<unknown> {
        const pair = pairAt(this.#target, this.#index);
        if (pair === undefined) return { value: undefined, done: true };
        this.#index++;
        const kind = this.#kind;
        const value = kind === 'key' ? pair[0] : kind === 'value' ? pair[1] : [pair[0], pair[1]];
        return { value, done: false };
      }
    }
    const iteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
    Object.setPrototypeOf(PairIterator.prototype, iteratorPrototype);
    Reflect.deleteProperty(PairIterator.prototype, 'constructor');
    makeEnumerable(PairIterator.prototype, () => true);
    setTag(PairIterator.prototype, `${C.name} Iterator`);

    const methods = {
      entries(this: T) {
        pairAt(this, 0);
        return new PairIterator(this, 'entry');
      },
      keys(this: T) {
        pairAt(this, 0);
        return new PairIterator(this, 'key');
      },
      values(this: T) {
        pairAt(this, 0);
        return new PairIterator(this, 'value');
      },
      forEach(this: T, callback: unknown, thisArg: unknown = undefined) {
        pairAt(this, 0);
        requireArguments(1, arguments.length, `Failed to execute 'forEach' on '${C.name}'`);
        const call = toFunction(callback, `Failed to execute 'forEach' on '${C.name}': parameter 1`);
        for (let i = 0, pair; (pair = pairAt(this, i)) !== undefined; i++) {
          Reflect.apply(call, thisArg, [pair[1], pair[0], this]);
        }
      },
    };
    Object.defineProperties(C.prototype, Object.getOwnPropertyDescriptors(methods));
    Object.defineProperty(C.prototype, Symbol.iterator, {
      value: methods.entries,
      writable: true,
      enumerable: false,
      configurable: true,
    });
  }

  return {
    internal: internal as typeof internal,
    illegalConstructor,
    finishInterface,
    setTag,
    defineConstants,
    makeCloneable,
    cloneStepsOf,
    makeTransferable,
    transferStepsOf,
    pairReaderOf,
    isPlatformPrototype,
    requireArguments,
    toDOMString,
    toUSVString,
    toByteString,
    toOctet,
    toUnsignedShort,
    toLong,
    toUnsignedLong,
    toLongLong,
    toUnsignedLongLong,
    toDouble,
    toDictionary,
    toEnum,
    toFunction,
    toSequence,
    toRecord,
    isArrayBuffer,
    isSharedArrayBuffer,
    typedArrayName,
    isBufferSource,
    toBufferSource,
    viewBytes,
    copyBytes,
    makePairIterable,
  };
});
interface Families {
  webidl: FamilyOf<typeof webidlFamily>;
}
