// ReadableStream.from (Streams standard, section 4.9.1): a stream over any iterable.
// Runs in a guest's context, on whichever thread has its isolate entered.

interface SourceIterator {
  readonly iterator: object;
  readonly next: Callback;
}

const readableFromFamily = define('readable_from', { globals: {} }, (use) => {
  const { isObject, react, rejectedWith, resolvedWith, toCallback } = use('stream_support');
  const { createReadable } = use('readable_default_controller');

  function streamFromIterable(iterable: unknown): ReadableCore {
    const { iterator, next } = iteratorOf(iterable);
    const stream: ReadableCore = createReadable(
      {
        start: undefined,
        pull: () => {
          let result: unknown;
          try {
            result = Reflect.apply(next, iterator, []);
          } catch (error) {
            return rejectedWith(error);
          }
          return react(resolvedWith(result), (step) => {
            if (!isObject(step)) throw new TypeError('The iterator gave a result that is no object');
            const controller = stream.controller as DefaultControllerCore;
            if ((step as ReadResult).done) controller.close();
            else controller.enqueue((step as ReadResult).value);
          });
        },
        cancel: (reason) => closeIterator(iterator, reason),
      },
      0,
    );
    return stream;
  }

  function closeIterator(iterator: object, reason: unknown): Promise<void> {
    let result: unknown;
    try {
      const method = methodOf(iterator, 'return');
      if (method === undefined) return resolvedWith<void>(undefined);
      result = Reflect.apply(method, iterator, [reason]);
    } catch (error) {
      return rejectedWith(error);
    }
    return react(resolvedWith(result), (step) => {
      if (!isObject(step)) throw new TypeError('The return of the iterator gave a result that is no object');
    });
  }

  /** ECMAScript's GetMethod. */
  function methodOf(holder: unknown, key: PropertyKey): Callback | undefined {
    const method = (holder as Record<PropertyKey, unknown>)[key];
    return method === null ? undefined : toCallback(method, `The ${String(key)} of the iterable`);
  }

  /** ECMAScript's GetIterator, of the asynchronous kind. */
  function iteratorOf(iterable: unknown): SourceIterator {
    if (iterable === undefined || iterable === null) throw new TypeError('The argument is not iterable');
    const method = methodOf(iterable, Symbol.asyncIterator);
    if (method !== undefined) return open(method, iterable);
    const syncMethod = methodOf(iterable, Symbol.iterator);
    if (syncMethod === undefined) throw new TypeError('The argument is not iterable');
    return asyncFromSync(open(syncMethod, iterable));
  }

  function open(method: Callback, iterable: unknown): SourceIterator {
    const iterator = Reflect.apply(method, iterable, []);
    if (!isObject(iterator)) throw new TypeError('The iterator is no object');
    const { next } = iterator as { next: Callback };
    return { iterator, next };
  }

  /** ECMAScript's CreateAsyncFromSyncIterator, as far as streams use it. */
  function asyncFromSync({ iterator, next }: SourceIterator): SourceIterator {
    async function unwrap(result: unknown): Promise<ReadResult> {
      if (!isObject(result)) throw new TypeError('The iterator gave a result that is no object');
      const { done } = result as ReadResult;
      try {
        return { done: Boolean(done), value: await (result as ReadResult).value };
      } catch (error) {
        if (!done) Reflect.apply(methodOf(iterator, 'return') ?? (() => undefined), iterator, []);
        throw error;
      }
    }
    return {
      iterator: {
        __proto__: null,
        async return(value: unknown): Promise<ReadResult> {
          const method = methodOf(iterator, 'return');
          if (method === undefined) return { done: true, value };
          return unwrap(Reflect.apply(method, iterator, [value]));
        },
      },
      next: async () => unwrap(Reflect.apply(next, iterator, [])),
    };
  }

  return { streamFromIterable };
});
interface Families {
  readable_from: FamilyOf<typeof readableFromFamily>;
}
