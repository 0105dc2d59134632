// Owns what a request comes to: its handler in `export default { fetch, scheduled }`, or who listens (see
// serve_events.ts), the context object with `waitUntil`, and the end. The kinds are shared with events.rs.
// Runs on the isolate's thread.

interface Host {
  /** The handler's answer; `finished` says that nothing else of the request goes on. */
  respond(
    id: number,
    status: number,
    statusText: string,
    headers: number | readonly string[],
    body: null | string | Uint8Array | number,
    finished: boolean,
  ): void;
  /** 0: `error` was thrown; 1: there is no handler for the event `error`; 2: `error` tells what came instead of a Response. */
  fail(id: number, why: number, error: unknown): void;
  finish(id: number): void;
  evaluated(id: number, value: unknown): void;
  hostCall(index: number, args: unknown[]): number;
}

type EntryFunction = (kind: number, id: number, a?: unknown, b?: unknown, c?: unknown, d?: unknown) => void;

const serveFamily = define('serve', { globals: { self: 'object' } }, (use, host) => {
  const { illegalConstructor, internal } = use('webidl');
  const { globalTarget, hasListeners } = use('event_target');
  const { requestFromHost } = use('request');
  const { Response, isResponse, responseParts } = use('response');
  const { fail, finish, respond } = host;
  type SomeSignal = InstanceType<Families['abort']['AbortSignal']>;
  type Handler = (input: unknown, env: unknown, context: unknown) => unknown;
  interface Handlers {
    fetch?: Handler;
    scheduled?: Handler;
  }
  const apply = Reflect.apply;
  const then = Promise.prototype.then;
  const PromiseResolve = Promise.resolve.bind(Promise);

  let handlers: Handlers | undefined;
  let env: Record<string, unknown> = {};

  /** What one request still has to do; reachable from its context object only. */
  class Run {
    readonly id: number;
    pending = 0;
    answered = false;
    signal: SomeSignal | null = null;
    aborted = false;
    constructor(id: number) {
      this.id = id;
    }
  }
  const signalled = new Map<number, Run>();

  class ExecutionContext {
    #run: Run;
    constructor(run: Run, token: unknown = undefined) {
      illegalConstructor(token);
      this.#run = run;
    }
    waitUntil(promise: unknown): void {
      extend(this.#run, promise);
    }
    passThroughOnException(): void {}
  }

  /** Keeps the request until `promise` settles; a rejection is reported, not fatal. */
  function extend(run: Run, promise: unknown): void {
    run.pending++;
    const done = () => release(run);
    apply(then, PromiseResolve(promise), [
      done,
      (reason: unknown) => {
        host.reportException(reason);
        done();
      },
    ]);
  }

  function release(run: Run): void {
    run.pending--;
    if (run.answered && run.pending === 0) end(run);
  }

  function end(run: Run): void {
    if (run.signal !== null) signalled.delete(run.id);
    finish(run.id);
  }

  function signalOf(run: Run): SomeSignal {
    if (run.signal === null) {
      run.signal = use('abort').createSignal();
      signalled.set(run.id, run);
    }
    return run.signal;
  }

  function describe(value: unknown): string {
    if (value === null) return 'null';
    return typeof value === 'object' ? 'an object that is not a Response' : typeof value;
  }

  function answer(run: Run, response: unknown): void {
    if (run.answered) return;
    if (!isResponse(response)) {
      fail(run.id, 2, describe(response));
      return;
    }
    let parts: ReturnType<typeof responseParts>;
    try {
      parts = responseParts(response);
    } catch (error) {
      fail(run.id, 0, error);
      return;
    }
    run.answered = true;
    const { body } = parts;
    if (body === null || typeof body === 'string' || body instanceof Uint8Array) {
      const finished = run.pending === 0;
      if (finished && run.signal !== null) signalled.delete(run.id);
      respond(run.id, parts.status, parts.statusText, parts.headers, body, finished);
      return;
    }
    const stream = host.streamOpen();
    run.pending++;
    respond(run.id, parts.status, parts.statusText, parts.headers, stream, false);
    const done = () => release(run);
    apply(then, use('streams').pumpToHost(body, stream), [done, done]);
  }

  function settle(run: Run, result: unknown): void {
    if (isResponse(result)) {
      answer(run, result);
      return;
    }
    apply(then, PromiseResolve(result), [
      (value: unknown) => answer(run, value),
      (error: unknown) => fail(run.id, 0, error),
    ]);
  }

  function onFetch(
    id: number,
    method: string,
    url: string,
    headers: string[] | null,
    body: null | string | Uint8Array | number,
  ): void {
    const run = new Run(id);
    const request = requestFromHost(method, url, headers ?? [], body, () => signalOf(run));
    try {
      const handler = handlers?.fetch;
      if (typeof handler === 'function') {
        settle(run, apply(handler, handlers, [request, env, new ExecutionContext(run, internal)]));
      } else if (hasListeners(globalTarget, 'fetch')) {
        use('serve_events').dispatchFetch(run, request);
      } else {
        fail(id, 1, 'fetch');
      }
    } catch (error) {
      fail(id, 0, error);
    }
  }

  function onScheduled(id: number, cron: string, scheduledTime: number): void {
    const run = new Run(id);
    run.pending = 1;
    const done = () => {
      run.answered = true;
      release(run);
    };
    try {
      const handler = handlers?.scheduled;
      let result: unknown;
      if (typeof handler === 'function') {
        const controller = { cron, scheduledTime, noRetry() {} };
        result = apply(handler, handlers, [controller, env, new ExecutionContext(run, internal)]);
      } else if (hasListeners(globalTarget, 'scheduled')) {
        use('serve_events').dispatchScheduled(run, cron, scheduledTime);
      } else {
        fail(id, 1, 'scheduled');
        return;
      }
      apply(then, PromiseResolve(result), [done, (error: unknown) => fail(id, 0, error)]);
    } catch (error) {
      fail(id, 0, error);
    }
  }

  function onEvaluated(id: number, value: unknown): void {
    apply(then, PromiseResolve(value), [
      (result: unknown) => host.evaluated(id, result),
      (error: unknown) => fail(id, 0, error),
    ]);
  }

  function onAbort(id: number): void {
    const run = signalled.get(id);
    if (run === undefined || run.signal === null) return;
    signalled.delete(id);
    const reason = new (use('dom_exception').DOMException)('The request was aborted', 'AbortError');
    use('abort').signalAbort(run.signal, reason);
  }

  /**
   * `plain` holds the values of `env`, as JSON, where it has any; `functions` pairs: the group (or null) and the name
   * of each function of the host's.
   */
  function configure(exported: unknown, plain: string | null, functions: Array<string | null>): void {
    const isObject = typeof exported === 'object' || typeof exported === 'function';
    handlers = isObject && exported !== null ? (exported as Handlers) : undefined;
    // Made now, and not when the first request waits for it.
    if (handlers === undefined && hasListeners(globalTarget, 'fetch')) use('serve_events');
    env = plain === null ? {} : (JSON.parse(plain) as Record<string, unknown>);
    for (let index = 0; index * 2 < functions.length; index++) {
      const group = functions[index * 2];
      const name = functions[index * 2 + 1] as string;
      const call = async (...args: unknown[]) => use('callbacks').wait(host.hostCall(index, args));
      Object.defineProperty(call, 'name', { value: name, configurable: true });
      const holder =
        group === null || group === undefined ? env : ((env[group] ??= {}) as Record<string, unknown>);
      holder[name] = call;
    }
  }

  function rejection(name: string, message: string): Error {
    switch (name) {
      case 'Error':
        return new Error(message);
      case 'TypeError':
        return new TypeError(message);
      case 'RangeError':
        return new RangeError(message);
      case 'SyntaxError':
        return new SyntaxError(message);
      case 'AbortError':
      case 'QuotaExceededError':
      case 'TimeoutError':
        return new (use('dom_exception').DOMException)(message, name) as unknown as Error;
      default: {
        const error = new Error(message);
        Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
        return error;
      }
    }
  }

  /** Drops what requests that have ended still wait for. */
  function forget(ids: number[]): void {
    const { forget: forgetAnswer } = use('callbacks');
    for (let index = 0; index < ids.length; index++) forgetAnswer(ids[index] as number);
  }

  /**
   * Runs a request that nobody has made, in a context that is made ahead, and makes these families: V8 learns the
   * shapes of what a request makes, and the worker's first one need not wait for that. Nothing of the guest's runs
   * before.
   */
  function rehearse(families: string[]): void {
    use('families').makeAhead(families);
    handlers ??= { fetch: () => new Response('') };
    onFetch(0, 'GET', 'http://x/', null, null);
    handlers = undefined;
    // Reading a global makes it an ordinary property.
    void (globalThis as { Response?: unknown }).Response;
  }

  const dispatch: EntryFunction = (kind, id, a, b, c, d) => {
    switch (kind) {
      case 0:
        return configure(a, b as string, c as Array<string | null>);
      case 1:
        return onFetch(
          id,
          a as string,
          b as string,
          c as string[] | null,
          d as null | string | Uint8Array | number,
        );
      case 2:
        return onScheduled(id, a as string, b as number);
      case 3:
        return onEvaluated(id, a);
      case 4:
        return onAbort(id);
      case 5:
        return use('callbacks').settle(id, true, a);
      case 6:
        return use('callbacks').settle(id, false, rejection(a as string, b as string));
      case 7:
        return use('callbacks').fire(id);
      case 8:
        return forget(a as number[]);
      case 9:
        return rehearse(a as string[]);
      case 10:
        return use('callbacks').settle(id, false, a);
      case 11:
        return use('reporting').rejected(a as Promise<unknown>, b);
      case 12:
        return use('reporting').handled(a as Promise<unknown>);
    }
  };

  return { dispatch, extend, settle, self: globalThis };
});
interface Families {
  serve: FamilyOf<typeof serveFamily>;
}
