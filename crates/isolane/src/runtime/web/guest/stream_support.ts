// Promises, queues and argument conversion that the stream families share.
// Runs in a guest's context, on whichever thread has its isolate entered.

type Callback = (...args: unknown[]) => unknown;
type SizeAlgorithm = (chunk: unknown) => number;

const streamSupportFamily = define('stream_support', { globals: {} }, (use) => {
  const { isSharedArrayBuffer } = use('webidl');

  // Taken once, so that guests who replace these do not change how streams work.
  const PromiseConstructor = Promise;
  const then = Function.prototype.call.bind(Promise.prototype.then) as (
    promise: Promise<unknown>,
    onFulfilled: ((value: never) => unknown) | undefined,
    onRejected?: (reason: unknown) => unknown,
  ) => Promise<unknown>;
  const noop = (): undefined => undefined;

  /** Makes a promise with its two ends. */
  class Deferred<T> {
    readonly promise: Promise<T>;
    resolve!: (value: T | PromiseLike<T>) => void;
    reject!: (reason: unknown) => void;

    constructor() {
      this.promise = new PromiseConstructor<T>((resolve, reject) => {
        this.resolve = resolve;
        this.reject = reject;
      });
    }
  }

  /** Web IDL's "a promise resolved with": always a new promise, also when given one. */
  function resolvedWith<T>(value: T | PromiseLike<T>): Promise<T> {
    return new PromiseConstructor<T>((resolve) => resolve(value));
  }

  function rejectedWith(reason: unknown): Promise<never> {
    return new PromiseConstructor<never>((_resolve, reject) => reject(reason));
  }

  /** Web IDL's "upon": reactions whose outcome nobody reads. */
  function upon<T>(
    promise: Promise<T>,
    onFulfilled: ((value: T) => void) | undefined,
    onRejected?: (reason: unknown) => void,
  ): void {
    // Without a reaction of its own to a rejection, nobody would handle that of the promise that `then` gives.
    then(promise, onFulfilled, onRejected ?? noop);
  }

  /** Web IDL's "react": the promise of what the reaction returns. */
  function react<T, R>(
    promise: Promise<T>,
    onFulfilled: ((value: T) => R | PromiseLike<R>) | undefined,
    onRejected?: (reason: unknown) => R | PromiseLike<R>,
  ): Promise<R> {
    return then(promise, onFulfilled, onRejected) as Promise<R>;
  }

  /** Keeps a rejection of `promise` from being reported as unhandled. */
  function markHandled(promise: Promise<unknown>): void {
    then(promise, undefined, noop);
  }

  const settled = resolvedWith<void>(undefined);

  /** Runs `steps` in a microtask. */
  function inMicrotask(steps: () => void): void {
    then(settled, steps);
  }

  /**
   * A promise that is only created when somebody asks for it.
   *
   * Readers and writers have several that most programs never look at. A rejection counts as handled, as the
   * Streams standard says of all the promises that are kept this way.
   */
  class LazyPromise {
    #status: 'pending' | 'resolved' | 'rejected' = 'pending';
    #reason: unknown = undefined;
    #deferred: Deferred<void> | undefined = undefined;

    static resolved(): LazyPromise {
      const lazy = new LazyPromise();
      lazy.#status = 'resolved';
      return lazy;
    }

    static rejected(reason: unknown): LazyPromise {
      const lazy = new LazyPromise();
      lazy.reject(reason);
      return lazy;
    }

    get isPending(): boolean {
      return this.#status === 'pending';
    }

    get promise(): Promise<void> {
      if (this.#deferred === undefined) {
        this.#deferred = new Deferred();
        if (this.#status === 'resolved') this.#deferred.resolve();
        else if (this.#status === 'rejected') this.#rejectDeferred(this.#deferred);
      }
      return this.#deferred.promise;
    }

    resolve(): void {
      if (this.#status !== 'pending') return;
      this.#status = 'resolved';
      this.#deferred?.resolve();
    }

    reject(reason: unknown): void {
      if (this.#status !== 'pending') return;
      this.#status = 'rejected';
      this.#reason = reason;
      if (this.#deferred !== undefined) this.#rejectDeferred(this.#deferred);
    }

    #rejectDeferred(deferred: Deferred<void>): void {
      deferred.reject(this.#reason);
      markHandled(deferred.promise);
    }
  }

  /** A first-in first-out queue without the cost of `Array.prototype.shift` on long arrays. */
  class Fifo<T> {
    #items: T[] = [];
    #head = 0;

    get length(): number {
      return this.#items.length - this.#head;
    }

    push(item: T): void {
      this.#items[this.#items.length] = item;
    }

    peek(): T {
      return this.#items[this.#head] as T;
    }

    shift(): T {
      const item = this.#items[this.#head] as T;
      this.#items[this.#head] = undefined as T;
      this.#head += 1;
      if (this.#head === this.#items.length) {
        this.#items = [];
        this.#head = 0;
      } else if (this.#head === 1024) {
        // A queue that never runs empty must not keep the slots of what has left it.
        this.#items = this.#items.slice(1024);
        this.#head = 0;
      }
      return item;
    }

    /** Empties the queue and gives what was in it. */
    takeAll(): T[] {
      const items = this.#head === 0 ? this.#items : this.#items.slice(this.#head);
      this.#items = [];
      this.#head = 0;
      return items;
    }
  }

  /** The standard's queue-with-sizes. */
  class SizedQueue<T> {
    readonly #values = new Fifo<T>();
    readonly #sizes = new Fifo<number>();
    totalSize = 0;

    get length(): number {
      return this.#values.length;
    }

    enqueue(value: T, size: number): void {
      if (!(size >= 0 && size < Infinity)) {
        throw new RangeError('The size of a chunk must be a finite, non-negative number');
      }
      this.#values.push(value);
      this.#sizes.push(size);
      this.totalSize += size;
    }

    dequeue(): T {
      // Floating point rounding may take the sum below zero.
      this.totalSize = Math.max(0, this.totalSize - this.#sizes.shift());
      return this.#values.shift();
    }

    peek(): T {
      return this.#values.peek();
    }

    reset(): void {
      this.#values.takeAll();
      this.#sizes.takeAll();
      this.totalSize = 0;
    }
  }

  function isObject(value: unknown): value is object {
    return (typeof value === 'object' && value !== null) || typeof value === 'function';
  }

  /** Web IDL's conversion to a dictionary, up to reading its members. */
  function toDictionary(value: unknown, what: string): Record<string, unknown> {
    if (value === undefined || value === null) {
      return { __proto__: null } as unknown as Record<string, unknown>;
    }
    if (!isObject(value)) throw new TypeError(`${what} is not an object`);
    return value as Record<string, unknown>;
  }

  /** Web IDL's conversion of a dictionary member to an optional callback function. */
  function toCallback(value: unknown, what: string): Callback | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== 'function') throw new TypeError(`${what} is not a function`);
    return value as Callback;
  }

  /** Web IDL's conversion to ArrayBufferView, which excludes shared memory. */
  function toView(value: unknown): ArrayBufferView<ArrayBuffer> {
    if (ArrayBuffer.isView(value) && !isSharedArrayBuffer(value.buffer)) {
      return value as ArrayBufferView<ArrayBuffer>;
    }
    throw new TypeError('The argument is not a view of an ArrayBuffer');
  }

  /** Calls what returns `Promise<T>` in Web IDL: a throw becomes a rejection. */
  function callForPromise<T>(callback: Callback, receiver: unknown, args: unknown[]): Promise<T> {
    try {
      return resolvedWith(Reflect.apply(callback, receiver, args) as T);
    } catch (error) {
      return rejectedWith(error);
    }
  }

  return {
    Deferred,
    LazyPromise,
    Fifo,
    SizedQueue,
    resolvedWith,
    rejectedWith,
    upon,
    react,
    markHandled,
    inMicrotask,
    isObject,
    toDictionary,
    toCallback,
    toView,
    callForPromise,
  };
});
interface Families {
  stream_support: FamilyOf<typeof streamSupportFamily>;
}
