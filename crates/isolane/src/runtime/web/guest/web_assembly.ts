// Owns WebAssembly: the native namespace, with a look at every module before V8 gets it, no shared memory, and
// no memory larger than the worker's buffers may be. Runs on the isolate's thread.

interface Host {
  /**
   * Undefined where V8 may see the module; other bytes that it is to see in its place; a string that says why
   * it may not; null where the argument holds no bytes.
   */
  wasmAdmit(module: unknown): undefined | Uint8Array | string | null;
  /** The namespace that V8 made with the context. */
  nativeWebAssembly(): NativeWebAssembly;
}

interface NativeWebAssembly {
  CompileError: ErrorConstructor;
  Memory: { new (descriptor: object): object; prototype: object };
  Module: { new (bytes: unknown): object; prototype: object };
  validate(bytes: unknown, options?: unknown): boolean;
  compile(bytes: unknown, options?: unknown): Promise<object>;
  instantiate(module: unknown, imports?: unknown, options?: unknown): Promise<object>;
}

const webAssemblyFamily = define('web_assembly', { globals: { WebAssembly: 'native' } }, (use, host) => {
  const { apply, construct, defineProperty } = Reflect;
  const { floor, trunc } = Math;
  const { assign } = Object;
  const toBigInt = BigInt as (value: unknown) => bigint;
  const nativeWebAssembly = host.nativeWebAssembly();
  const { CompileError, Memory, Module } = nativeWebAssembly;
  const PAGE_BYTES = 65_536;
  /** What 32 bits can address. */
  const MAX_PAGES = 65_536;

  /** The bytes that V8 is to get; throws where it is to get none. */
  function admitted(what: string, module: unknown): unknown {
    const answer = host.wasmAdmit(module);
    if (typeof answer === 'string') throw new CompileError(`WebAssembly.${what}: ${answer}`);
    return answer ?? module;
  }

  /** A native's stand-in that guests cannot tell from it. */
  function guard<F extends object>(native: F, handler: ProxyHandler<F>): F {
    return new Proxy(native, { __proto__: null, ...handler } as ProxyHandler<F>);
  }

  function guardConstructor<F extends { prototype: object }>(
    native: F,
    args: (args: unknown[]) => unknown[],
  ): F {
    const guarded = guard(native, {
      construct: (target, given, newTarget) =>
        construct(target as unknown as Function, args(given), newTarget as Function),
    });
    defineProperty(native.prototype, 'constructor', {
      value: guarded,
      writable: true,
      enumerable: false,
      configurable: true,
    });
    return guarded;
  }

  /** Members are read and converted once and in order, so that what was looked at is what V8 gets. */
  function memoryArguments(args: unknown[]): unknown[] {
    const given = args[0];
    if ((typeof given !== 'object' && typeof given !== 'function') || given === null) return [given];
    const members = given as Record<string, unknown>;
    const { address: type } = members;
    const address = type === undefined ? undefined : `${type as string}`;
    const descriptor = address === undefined ? { __proto__: null } : { __proto__: null, address };
    const toPages = address === 'i64' ? toBigInt : toUnsignedLong;
    const { initial } = members;
    if (initial !== undefined) assign(descriptor, { initial: toPages(initial) });
    const { maximum } = members;
    const wanted = maximum === undefined ? undefined : toPages(maximum);
    if (members.shared) throw new TypeError('WebAssembly.Memory(): shared memory is not supported');
    const limit = floor(host.bufferLimit() / PAGE_BYTES);
    const most = toPages === toBigInt ? toBigInt(limit) : limit;
    // More pages than a memory can have are V8's to refuse.
    const isPast = wanted === undefined || (wanted > most && wanted <= MAX_PAGES);
    return [assign(descriptor, { maximum: isPast ? most : wanted })];
  }

  /** Web IDL's [EnforceRange] unsigned long. */
  function toUnsignedLong(value: unknown): number {
    const number = trunc(+(value as number));
    if (number >= 0 && number < 2 ** 32) return number + 0;
    throw new TypeError('WebAssembly.Memory(): a number of pages is not an unsigned long');
  }

  const constructors = {
    Module: guardConstructor(Module, (args) => [admitted('Module()', args[0]), args[1]]),
    Memory: guardConstructor(Memory, memoryArguments),
  };

  const functions = {
    validate: guard(nativeWebAssembly.validate, {
      apply(target, self, args) {
        const answer = host.wasmAdmit(args[0]);
        return typeof answer === 'string' ? false : apply(target, self, [answer ?? args[0], args[1]]);
      },
    }),
    compile: guard(nativeWebAssembly.compile, {
      apply: (target, self, args) => asynchronously('compile()', target, self, args),
    }),
    instantiate: guard(nativeWebAssembly.instantiate, {
      apply: (target, self, args) => asynchronously('instantiate()', target, self, args),
    }),
  };

  /** What is refused, or cannot be read, rejects as it does in the native. */
  async function asynchronously(
    what: string,
    target: Function,
    self: unknown,
    args: unknown[],
  ): Promise<unknown> {
    return apply(target, self, [admitted(what, args[0]), args[1], args[2]]);
  }

  const streaming = {
    compileStreaming(source: unknown): Promise<object> {
      return moduleBytes(source, arguments.length, 'compileStreaming').then(
        (bytes) => apply(functions.compile, nativeWebAssembly, [bytes]) as Promise<object>,
      );
    },
    // One parameter is required, which its length says.
    instantiateStreaming(source: unknown, imports: unknown = undefined): Promise<object> {
      return moduleBytes(source, arguments.length, 'instantiateStreaming').then(
        (bytes) => apply(functions.instantiate, nativeWebAssembly, [bytes, imports]) as Promise<object>,
      );
    },
  };

  const outerBlank = /^[\t ]+|[\t ]+$/g;

  /** The body of a potential WebAssembly response (https://webassembly.github.io/spec/web-api/). */
  async function moduleBytes(source: unknown, given: number, method: string): Promise<Uint8Array> {
    const what = `WebAssembly.${method}()`;
    use('webidl').requireArguments(1, given, what);
    const response = await source;
    const { isResponse, responseFacts } = use('response');
    if (!isResponse(response)) throw new TypeError(`${what}: the argument is not a Response`);
    const { contentType, isOk, takeBytes } = responseFacts(response);
    const type = contentType?.replace(outerBlank, '').toLowerCase();
    if (type !== 'application/wasm') {
      throw new TypeError(`${what}: the response's Content-Type is not application/wasm`);
    }
    if (!isOk) throw new TypeError(`${what}: the response's status is not ok`);
    return await takeBytes();
  }

  for (const members of [constructors, functions, streaming]) {
    for (const name of Reflect.ownKeys(members)) {
      defineProperty(nativeWebAssembly, name, {
        value: members[name as keyof typeof members],
        writable: true,
        // As Web IDL wants interfaces and operations of a namespace.
        enumerable: members !== constructors,
        configurable: true,
      });
    }
  }
  // Suspended stacks are memory that nothing counts.
  for (const name of ['promising', 'Suspending', 'SuspendError']) {
    Reflect.deleteProperty(nativeWebAssembly, name);
  }
  return { WebAssembly: nativeWebAssembly };
});
interface Families {
  web_assembly: FamilyOf<typeof webAssemblyFamily>;
}
