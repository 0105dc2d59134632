// Owns structuredClone (https://html.spec.whatwg.org/#safe-passing-of-structured-data). A value is
// copied within its context, not written to bytes: copies count against the guest's own heap, and
// strings are shared. Runs on the isolate's thread.

const structuredCloneFamily = define(
  'structured_clone',
  { globals: { structuredClone: 'function' } },
  (use, host) => {
    const { cloneStepsOf, isArrayBuffer, requireArguments, toDictionary, toSequence, transferStepsOf } =
      use('webidl');
    const { Kind } = use('value_kind');
    const { bufferFacts, getterOf, viewFacts } = use('buffer_facts');

    const transferBuffer = ArrayBuffer.prototype.transfer;
    const { forEach: forEachInMap } = Map.prototype;
    const { forEach: forEachInSet } = Set.prototype;
    const { getTime } = Date.prototype;
    const regExpFlags = [
      ['hasIndices', 'd'],
      ['global', 'g'],
      ['ignoreCase', 'i'],
      ['multiline', 'm'],
      ['dotAll', 's'],
      ['unicode', 'u'],
      ['unicodeSets', 'v'],
      ['sticky', 'y'],
    ].map(([name, letter]) => [getterOf(RegExp.prototype, name), letter] as const);
    const regExpSource = getterOf(RegExp.prototype, 'source');
    const errorTypes: Record<string, ErrorConstructor> = {
      __proto__: null as never,
      Error,
      EvalError,
      RangeError,
      ReferenceError,
      SyntaxError,
      TypeError,
      URIError,
    };

    function refuse(what: string): never {
      const { DOMException } = use('dom_exception');
      throw new DOMException(what, 'DataCloneError');
    }

    /** Stands in a copy for what is transferred, or a view of it, until all else has been copied. */
    class Moved {
      readonly source: object;
      readonly view: ((buffer: ArrayBuffer) => object) | null;
      constructor(source: object, view: ((buffer: ArrayBuffer) => object) | null) {
        this.source = source;
        this.view = view;
      }
    }

    /** One run of the algorithm. */
    class Cloner {
      #copies = new Map<object, object>();
      #transfers: Map<object, object | null>;
      #hasMoved = false;
      /** Bytes that the copy may still grow by in a serialized form, which is not shared as copies are. */
      #budget: number;

      constructor(transfers: object[], budget: number) {
        this.#budget = budget;
        this.#transfers = new Map(transfers.map((source) => [source, null]));
      }

      run(value: unknown): unknown {
        const copy = this.#clone(value);
        for (const source of this.#transfers.keys()) this.#transfers.set(source, move(source));
        return this.#hasMoved ? this.#settleAll(copy) : copy;
      }

      /** What was transferred, in the order in which it was listed. */
      transferred(): object[] {
        return [...this.#transfers.values()].filter((object) => object !== null);
      }

      #clone(value: unknown): unknown {
        if (typeof value !== 'object' && typeof value !== 'function') return this.#clonePrimitive(value);
        if (value === null) return null;
        const known = this.#copies.get(value);
        return known === undefined ? this.#cloneObject(value) : known;
      }

      #clonePrimitive(value: unknown): unknown {
        if (typeof value === 'symbol') refuse(`${String(value)} could not be cloned.`);
        if (typeof value === 'string') this.#spend(value.length * 2);
        if (typeof value === 'bigint' && this.#budget !== Infinity) this.#spend(value.toString(32).length);
        this.#spend(12);
        return value;
      }

      #spend(bytes: number): void {
        this.#budget -= bytes;
        if (this.#budget < 0) refuse('The value is too large to be cloned.');
      }

      #remember<T extends object>(value: object, copy: T): T {
        this.#copies.set(value, copy);
        this.#spend(16);
        return copy;
      }

      #cloneObject(value: object): unknown {
        if (this.#transfers.has(value)) return this.#moved(value, value, null);
        switch (host.valueKind(value)) {
          case Kind.Ordinary:
            return this.#cloneOrdinary(value);
          case Kind.Arguments:
            return this.#cloneProperties(value, this.#remember(value, {}));
          case Kind.Array:
            return this.#cloneArray(value as unknown[]);
          case Kind.Boxed:
            return this.#cloneBoxed(value);
          case Kind.Date:
            return this.#remember(value, new Date(Reflect.apply(getTime, value, [])));
          case Kind.RegExp:
            return this.#cloneRegExp(value);
          case Kind.Map:
            return this.#cloneMap(value);
          case Kind.Set:
            return this.#cloneSet(value);
          case Kind.ArrayBuffer:
            return this.#cloneBuffer(value as ArrayBuffer);
          case Kind.View:
            return this.#cloneView(value as ArrayBufferView);
          case Kind.Error:
            return this.#cloneError(value);
          default:
            return refuse(`${describe(value)} could not be cloned.`);
        }
      }

      #cloneOrdinary(value: object): object {
        const prototype = Object.getPrototypeOf(value);
        if (prototype !== Object.prototype && prototype !== null) {
          const steps = cloneStepsOf(value);
          if (steps === null || steps?.clone === undefined) {
            if (steps !== undefined || isBuiltIn(value)) refuse(`${describe(value)} could not be cloned.`);
          } else {
            if (this.#budget !== Infinity) refuse(`${describe(value)} cannot be handed to the host.`);
            return this.#remember(
              value,
              steps.clone(value as never, (part) => this.#clone(part)),
            );
          }
        }
        return this.#cloneProperties(value, this.#remember(value, {}));
      }

      #cloneProperties(value: object, copy: object): object {
        for (const key of Object.keys(value)) {
          // A getter that ran before may have taken it away.
          if (!Object.hasOwn(value, key)) continue;
          this.#spend(key.length * 2 + 8);
          setOwn(copy, key, this.#clone((value as Record<string, unknown>)[key]));
        }
        return copy;
      }

      #cloneArray(value: unknown[]): unknown[] {
        const { length } = value;
        const keys = Object.keys(value);
        if (keys.length !== length || (length > 0 && keys[length - 1] !== String(length - 1))) {
          const copy = this.#remember<unknown[]>(value, new Array(length));
          this.#cloneProperties(value, copy);
          return copy;
        }
        // It grows as it is filled: one of that length from the start would be sparse to V8, which writes and reads
        // such arrays by their keys.
        const copy = this.#remember<unknown[]>(value, []);
        for (let i = 0; i < length; i++) {
          if (Object.hasOwn(value, i)) setOwn(copy, i, this.#clone(value[i]));
        }
        // A getter that ran before may have taken the last ones away.
        if (copy.length !== length) copy.length = length;
        return copy;
      }

      #cloneBoxed(value: object): object {
        const primitive = unbox(value);
        if (typeof primitive === 'symbol') refuse('A Symbol object could not be cloned.');
        return this.#remember(value, Object(this.#clonePrimitive(primitive)));
      }

      #cloneRegExp(value: object): RegExp {
        const source = Reflect.apply(regExpSource, value, []) as string;
        let flags = '';
        for (const [getter, letter] of regExpFlags) if (Reflect.apply(getter, value, [])) flags += letter;
        this.#spend(source.length * 2);
        return this.#remember(value, new RegExp(source, flags));
      }

      #cloneMap(value: object): Map<unknown, unknown> {
        const copy = this.#remember(value, new Map());
        const entries: [unknown, unknown][] = [];
        Reflect.apply(forEachInMap, value, [(item: unknown, key: unknown) => entries.push([key, item])]);
        for (const [key, item] of entries) copy.set(this.#clone(key), this.#clone(item));
        return copy;
      }

      #cloneSet(value: object): Set<unknown> {
        const copy = this.#remember(value, new Set());
        const items: unknown[] = [];
        Reflect.apply(forEachInSet, value, [(item: unknown) => items.push(item)]);
        for (const item of items) copy.add(this.#clone(item));
        return copy;
      }

      #cloneBuffer(value: ArrayBuffer): object {
        if (this.#transfers.has(value)) return this.#moved(value, value, null);
        const buffer = bufferFacts(value);
        if (buffer.detached) refuse('A detached ArrayBuffer could not be cloned.');
        this.#spend(buffer.byteLength);
        const { byteLength, maxByteLength } = buffer;
        const copy = buffer.resizable
          ? new ArrayBuffer(byteLength, { maxByteLength })
          : new ArrayBuffer(byteLength);
        new Uint8Array(copy).set(new Uint8Array(value, 0, byteLength));
        return this.#remember(value, copy);
      }

      #cloneView(value: ArrayBufferView): object {
        const view = viewFacts(value);
        if (!isArrayBuffer(view.buffer)) refuse('A view of shared memory could not be cloned.');
        const known = this.#copies.get(view.buffer) ?? this.#cloneBuffer(view.buffer);
        const { resizable, byteLength } = bufferFacts(view.buffer);
        if (view.outOfBounds) refuse('A view that is out of bounds could not be cloned.');
        const rest = byteLength - view.byteOffset;
        const tracksLength = resizable && rest - view.byteLength < view.elementSize;
        const length = tracksLength ? undefined : view.byteLength / view.elementSize;
        const build = (buffer: ArrayBuffer) => new view.Type(buffer, view.byteOffset, length);
        if (known instanceof Moved) return this.#moved(value, view.buffer, build);
        return this.#remember(value, build(known as ArrayBuffer));
      }

      #moved(value: object, source: object, view: Moved['view']): Moved {
        this.#hasMoved = true;
        return this.#remember(value, new Moved(source, view));
      }

      #cloneError(value: object): object {
        const isDOMException = use('dom_exception').isDOMException(value);
        if (isDOMException && this.#budget === Infinity) {
          const copy = cloneStepsOf(value)!.clone(value as never, (part) => this.#clone(part));
          return this.#remember(value, copy);
        }
        const { name } = value as { name?: unknown };
        const Type = errorTypes[name === undefined ? 'Error' : String(name)] ?? Error;
        const message = isDOMException ? value.message : ownData(value, 'message');
        const stack = stackOf(value);
        const copy = this.#remember(value, new Type());
        if (message !== undefined) hide(copy, 'message', this.#clonePrimitive(String(message)));
        if (stack !== undefined) hide(copy, 'stack', this.#clonePrimitive(stack));
        if (Object.hasOwn(value, 'cause')) hide(copy, 'cause', this.#clone((value as Error).cause));
        return copy;
      }

      /** Puts the moved buffers where their stand-ins are. */
      #settleAll(root: unknown): unknown {
        const settled = new Map<Moved, object>();
        const settle = (part: unknown): unknown => {
          if (!(part instanceof Moved)) return part;
          let object = settled.get(part);
          if (object === undefined) {
            const moved = this.#transfers.get(part.source)!;
            object = part.view === null ? moved : part.view(moved as ArrayBuffer);
            settled.set(part, object);
          }
          return object;
        };
        for (const [source, copy] of this.#copies) settleParts(source, copy, settle);
        return settle(root);
      }
    }

    function settleParts(source: object, copy: object, settle: (part: unknown) => unknown): void {
      switch (host.valueKind(copy)) {
        case Kind.Map: {
          const entries = [...(copy as Map<unknown, unknown>)];
          (copy as Map<unknown, unknown>).clear();
          for (const [key, item] of entries) (copy as Map<unknown, unknown>).set(settle(key), settle(item));
          break;
        }
        case Kind.Set: {
          const items = [...(copy as Set<unknown>)];
          (copy as Set<unknown>).clear();
          for (const item of items) (copy as Set<unknown>).add(settle(item));
          break;
        }
        case Kind.Error:
          if (Object.hasOwn(copy, 'cause')) hide(copy, 'cause', settle((copy as Error).cause));
          break;
        case Kind.Ordinary:
        case Kind.Array:
          if (copy instanceof Moved || cloneStepsOf(source) !== undefined) break;
          for (const key of Object.keys(copy)) {
            const part = (copy as Record<string, unknown>)[key];
            if (part instanceof Moved) setOwn(copy, key, settle(part));
          }
          break;
        default:
      }
    }

    function move(source: object): object {
      checkMovable(source);
      const steps = transferStepsOf(source);
      if (steps !== undefined) return steps.transfer(source as never);
      try {
        return Reflect.apply(transferBuffer, source, []) as ArrayBuffer;
      } catch {
        return refuse('An ArrayBuffer could not be transferred.');
      }
    }

    /** Creates a data property, also where a setter of that name is inherited. */
    function setOwn(copy: object, key: string | number, value: unknown): void {
      if (!(key in copy)) (copy as Record<string | number, unknown>)[key] = value;
      else Object.defineProperty(copy, key, { value, writable: true, enumerable: true, configurable: true });
    }

    function hide(copy: object, key: string, value: unknown): void {
      Object.defineProperty(copy, key, { value, writable: true, enumerable: false, configurable: true });
    }

    function ownData(value: object, key: string): unknown {
      return Object.getOwnPropertyDescriptor(value, key)?.value;
    }

    function stackOf(error: object): string | undefined {
      const stack = Object.hasOwn(error, 'stack') ? (error as Error).stack : undefined;
      return typeof stack === 'string' ? stack : undefined;
    }

    const unboxers = [Number, String, Boolean, BigInt, Symbol].map((Box) => Box.prototype.valueOf);

    function unbox(value: object): unknown {
      for (const valueOf of unboxers) {
        try {
          return Reflect.apply(valueOf, value, []);
        } catch {
          // Not of that type.
        }
      }
      return undefined;
    }

    let builtInPrototypes: Set<object> | undefined;

    /** Whether an object of no kind of its own is of a language class that has slots, such as WeakRef. */
    function isBuiltIn(value: object): boolean {
      builtInPrototypes ??= new Set([
        WeakRef.prototype,
        FinalizationRegistry.prototype,
        Iterator.prototype,
        Object.getPrototypeOf(async function* () {}).prototype,
        ...Object.values(Object.getOwnPropertyDescriptors(Intl)).flatMap(
          ({ value }) => value?.prototype ?? [],
        ),
      ]);
      for (let at = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) {
        if (builtInPrototypes.has(at)) return true;
      }
      return false;
    }

    function describe(value: object): string {
      const kind = host.valueKind(value);
      if (kind === Kind.Function) return 'A function';
      if (kind === Kind.Proxy) return 'A proxy';
      const constructor = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(value) ?? {}, 'constructor');
      const name = typeof constructor?.value === 'function' ? ownData(constructor.value, 'name') : undefined;
      return `#<${typeof name === 'string' && name !== '' ? name : 'Object'}>`;
    }

    /** Throws where an object cannot be transferred any more. */
    function checkMovable(source: object): void {
      const steps = transferStepsOf(source);
      if (steps?.isDetached(source as never) ?? bufferFacts(source as ArrayBuffer).detached) {
        refuse(`A detached ${steps?.name ?? 'ArrayBuffer'} could not be transferred.`);
      }
    }

    /** Looks whether all of a list can be transferred. */
    function checkTransfers(items: object[]): object[] {
      for (const item of items) {
        if (!isArrayBuffer(item) && transferStepsOf(item) === undefined) {
          refuse(`${describe(item)} could not be transferred.`);
        }
      }
      if (new Set(items).size !== items.length) refuse('An object is listed twice to be transferred.');
      for (const item of items) checkMovable(item);
      return items;
    }

    /** Converts a sequence of objects to transfer. */
    function toTransferList(value: unknown, what: string): object[] {
      return toSequence(
        value,
        (item) => {
          if ((typeof item === 'object' && item !== null) || typeof item === 'function')
            return item as object;
          throw new TypeError(`${what} holds a value that is not an object.`);
        },
        what,
      );
    }

    /** Copies a value, and takes what is listed along, as postMessage does. */
    function cloneWithTransfer(
      value: unknown,
      transfers: object[],
    ): { copy: unknown; transferred: object[] } {
      const cloner = new Cloner(checkTransfers(transfers), Infinity);
      return { copy: cloner.run(value), transferred: cloner.transferred() };
    }

    // A method, because functions that Web IDL defines are no constructors. The native side gives a third
    // argument: the most bytes that the value may have once serialized.
    const { structuredClone } = {
      structuredClone(value: unknown, options: unknown = undefined, ...more: unknown[]): unknown {
        requireArguments(1, arguments.length, "Failed to execute 'structuredClone'");
        const dictionary = toDictionary(options, "Failed to execute 'structuredClone': parameter 2");
        const listed = dictionary?.transfer;
        const what = "Failed to execute 'structuredClone': member transfer";
        const transfers = listed === undefined ? [] : checkTransfers(toTransferList(listed, what));
        const limit = more[0];
        return new Cloner(transfers, typeof limit === 'number' ? limit : Infinity).run(value);
      },
    };

    return { structuredClone, cloneWithTransfer, toTransferList };
  },
);
interface Families {
  structured_clone: FamilyOf<typeof structuredCloneFamily>;
}
