// Owns AsyncLocalStorage and AsyncResource as Node.js has them
// (https://nodejs.org/api/async_context.html), and the module `node:async_hooks`. Runs on the isolate's
// thread.

const asyncHooksFamily = define(
  'async_hooks',
  { globals: { AsyncLocalStorage: 'class', 'node:async_hooks': 'module' } },
  (use) => {
    const { toDictionary, toFunction } = use('webidl');
    const context = use('async_context');

    class AsyncLocalStorage {
      #name = '';
      #defaultValue: unknown;

      constructor(options: unknown = undefined) {
        const dictionary = toDictionary(options, 'The options of AsyncLocalStorage');
        if (dictionary === undefined) return;
        const { defaultValue, name } = dictionary;
        this.#defaultValue = defaultValue;
        if (name !== undefined) this.#name = String(name);
      }

      static bind(fn: unknown): unknown {
        return context.bind(toFunction(fn, 'The argument of AsyncLocalStorage.bind'));
      }
      static snapshot(): unknown {
        return context.bind((fn: unknown, ...args: unknown[]) =>
          Reflect.apply(toFunction(fn, 'The first argument of a snapshot'), undefined, args),
        );
      }

      get name(): string {
        return this.#name;
      }
      getStore(): unknown {
        const fallback = this.#defaultValue;
        const found = context.read(this);
        return found === undefined ? fallback : found.value;
      }
      enterWith(store: unknown): void {
        void this.#name;
        context.enter(context.withValue(this, store));
      }
      run(store: unknown, callback: unknown, ...args: unknown[]): unknown {
        void this.#name;
        const call = toFunction(callback, 'The second argument of AsyncLocalStorage.run');
        return context.runIn(context.withValue(this, store), () => Reflect.apply(call, undefined, args));
      }
      exit(callback: unknown, ...args: unknown[]): unknown {
        void this.#name;
        const call = toFunction(callback, 'The first argument of AsyncLocalStorage.exit');
        const outside = context.withValue(this, undefined);
        return context.runIn(outside, () => Reflect.apply(call, undefined, args));
      }
      disable(): void {
        void this.#name;
        context.enter(context.without(this));
      }
    }

    class AsyncResource {
      #runInContext = context.bind((call: () => unknown) => call());
      #type: string;

      constructor(type: unknown) {
        if (typeof type !== 'string') throw new TypeError('The type of an AsyncResource is not a string.');
        this.#type = type;
      }

      static bind(fn: unknown, type: unknown = undefined, thisArg: unknown = undefined): unknown {
        const call = toFunction(fn, 'The first argument of AsyncResource.bind');
        const resource = new AsyncResource(typeof type === 'string' ? type : call.name || 'bound');
        return resource.bind(call, thisArg);
      }

      get type(): string {
        return this.#type;
      }
      runInAsyncScope(fn: unknown, thisArg: unknown = undefined, ...args: unknown[]): unknown {
        const run = this.#runInContext;
        const call = toFunction(fn, 'The first argument of AsyncResource.runInAsyncScope');
        return run(() => Reflect.apply(call, thisArg, args));
      }
      bind(fn: unknown, thisArg: unknown = undefined): unknown {
        const run = this.#runInContext;
        const call = toFunction(fn, 'The first argument of AsyncResource.bind');
        return function (this: unknown, ...args: unknown[]) {
          const receiver = thisArg === undefined ? this : thisArg;
          return run(() => Reflect.apply(call, receiver, args));
        };
      }
      /** There are no hooks that could hear of it. */
      emitDestroy(): this {
        void this.#type;
        return this;
      }
    }

    const members = { AsyncLocalStorage, AsyncResource };
    return { AsyncLocalStorage, 'node:async_hooks': { ...members, default: members } };
  },
);
interface Families {
  async_hooks: FamilyOf<typeof asyncHooksFamily>;
}
