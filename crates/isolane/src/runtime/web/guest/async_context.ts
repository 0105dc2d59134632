// Owns AsyncContext (https://github.com/tc39/proposal-async-context): values that follow the flow of a
// program through promises, timers and what else waits. V8 carries one value along; here it is a map of
// all variables that is never changed, only replaced. Runs on the isolate's thread.

interface Host {
  /** The value that what runs was started with. */
  asyncContext(): unknown;
  /** Sets the value for what runs next, and for the promises that it waits for. */
  setAsyncContext(value: unknown): void;
}

const asyncContextFamily = define('async_context', { globals: { AsyncContext: 'object' } }, (use, host) => {
  const { requireArguments, setTag, toDictionary, toDOMString, toFunction } = use('webidl');

  type Context = ReadonlyMap<object, unknown> | undefined;
  const { get: getFrom, has: hasIn } = Map.prototype;

  // What waits for the host takes its context along from now on.
  use('callbacks').carry((callback) => bind(callback));

  function current(): Context {
    return host.asyncContext() as Context;
  }

  function has(context: Context, variable: object): boolean {
    return context !== undefined && Reflect.apply(hasIn, context, [variable]);
  }

  /** The value of a variable; undefined where it has none. */
  function read(variable: object): { readonly value: unknown } | undefined {
    const context = current();
    return has(context, variable) ? { value: Reflect.apply(getFrom, context, [variable]) } : undefined;
  }

  /** The context in which a variable has another value. */
  function withValue(variable: object, value: unknown): Context {
    return new Map(current()).set(variable, value);
  }

  /** The context in which a variable has no value. */
  function without(variable: object): Context {
    const context = new Map(current());
    context.delete(variable);
    return context;
  }

  /** Calls a function in a context. */
  function runIn<T>(context: Context, call: () => T): T {
    const before = host.asyncContext();
    host.setAsyncContext(context);
    try {
      return call();
    } finally {
      host.setAsyncContext(before);
    }
  }

  function enter(context: Context): void {
    host.setAsyncContext(context);
  }

  /** A function that calls another in the context of now. */
  function bind<F extends (...args: never[]) => unknown>(fn: F): F {
    const context = current();
    return function (this: unknown, ...args: unknown[]) {
      return runIn(context, () => Reflect.apply(fn, this, args));
    } as unknown as F;
  }

  class Variable {
    #name = '';
    #defaultValue: unknown;
    constructor(options: unknown = undefined) {
      const dictionary = toDictionary(options, "Failed to construct 'Variable': parameter 1");
      if (dictionary === undefined) return;
      const { name, defaultValue } = dictionary;
      if (name !== undefined) this.#name = toDOMString(name);
      this.#defaultValue = defaultValue;
    }
    get name(): string {
      return this.#name;
    }
    get(): unknown {
      const fallback = this.#defaultValue;
      const found = read(this);
      return found === undefined ? fallback : found.value;
    }
    run(value: unknown, fn: unknown, ...args: unknown[]): unknown {
      void this.#name;
      const what = "Failed to execute 'run' on 'Variable'";
      requireArguments(2, arguments.length, what);
      const call = toFunction(fn, `${what}: parameter 2`);
      return runIn(withValue(this, value), () => Reflect.apply(call, undefined, args));
    }
  }

  class Snapshot {
    #context: Context = current();
    run(fn: unknown, ...args: unknown[]): unknown {
      const context = this.#context;
      const what = "Failed to execute 'run' on 'Snapshot'";
      requireArguments(1, arguments.length, what);
      const call = toFunction(fn, `${what}: parameter 1`);
      return runIn(context, () => Reflect.apply(call, undefined, args));
    }
    static wrap(fn: unknown): unknown {
      const what = "Failed to execute 'wrap' on 'Snapshot'";
      requireArguments(1, arguments.length, what);
      return bind(toFunction(fn, `${what}: parameter 1`));
    }
  }

  setTag(Variable.prototype, 'AsyncContext.Variable');
  setTag(Snapshot.prototype, 'AsyncContext.Snapshot');
  const AsyncContext = {};
  for (const [name, value] of Object.entries({ Variable, Snapshot })) {
    Object.defineProperty(AsyncContext, name, {
      value,
      writable: true,
      enumerable: false,
      configurable: true,
    });
  }
  setTag(AsyncContext, 'AsyncContext');
  return { AsyncContext, read, withValue, without, runIn, enter, bind };
});
interface Families {
  async_context: FamilyOf<typeof asyncContextFamily>;
}
