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

const webAssemblyFamily = define('web_assembly', { globals: { WebAssembly: 'native' } }, (_use, host) => {
  const { apply, construct, defineProperty } = Reflect;
  const { floor } = Math;
  const toBigInt = BigInt as (value: unknown) => bigint;
  const nativeWebAssembly = host.nativeWebAssembly();
  const { CompileError, Memory, Module } = nativeWebAssembly;
  const PAGE_BYTES = 65_536;

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

  /** Members are read and converted once, so that what was looked at is what V8 gets. */
  function memoryArguments(args: unknown[]): unknown[] {
    const given = args[0];
    if ((typeof given !== 'object' && typeof given !== 'function') || given === null) return [given];
    const { address, initial, maximum, shared } = given as Record<string, unknown>;
    if (shared) throw new TypeError('WebAssembly.Memory(): shared memory is not supported');
    const is64Bit = address === 'i64';
    const limit = floor(host.bufferLimit() / PAGE_BYTES);
    const most = is64Bit ? toBigInt(limit) : limit;
    const wanted = maximum === undefined ? most : is64Bit ? toBigInt(maximum) : +(maximum as number);
    const isPast = wanted > most;
    const descriptor = { __proto__: null, initial, maximum: isPast ? most : wanted };
    return [address === undefined ? descriptor : Object.assign(descriptor, { address })];
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

  for (const members of [constructors, functions]) {
    for (const name of Reflect.ownKeys(members)) {
      defineProperty(nativeWebAssembly, name, {
        value: members[name as keyof typeof members],
        writable: true,
        enumerable: false,
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
