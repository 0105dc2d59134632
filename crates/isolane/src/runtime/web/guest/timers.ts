// Owns timers and queueMicrotask (https://html.spec.whatwg.org/#timers). Runs on the
// isolate's thread. Handles are small numbers of the context's own: the host's callback ids are
// counted for the whole process, and would tell a guest how busy its neighbours are.

const timersFamily = define(
  'timers',
  {
    globals: {
      setTimeout: 'function',
      setInterval: 'function',
      clearTimeout: 'function',
      clearInterval: 'function',
      queueMicrotask: 'function',
    },
  },
  (use, host) => {
    const { requireArguments, toFunction, toLong } = use('webidl');

    interface Timer {
      readonly handler: (...args: unknown[]) => unknown;
      readonly args: unknown[];
      readonly delay: number;
      readonly repeats: boolean;
      /** How deep in timers that were started by timers this one is. */
      nesting: number;
      callbackId: number;
    }

    const timers = new Map<number, Timer>();
    let lastHandle = 0;
    let nestingOfRunning = 0;

    function start(
      what: string,
      handler: unknown,
      delay: unknown,
      args: unknown[],
      repeats: boolean,
    ): number {
      if (typeof handler !== 'function') {
        throw new EvalError(`${what}: code generation from strings is disallowed in this context.`);
      }
      const timer: Timer = {
        handler: handler as Timer['handler'],
        args,
        delay: Math.max(0, toLong(delay)),
        repeats,
        nesting: nestingOfRunning,
        callbackId: 0,
      };
      const handle = ++lastHandle;
      arm(handle, timer);
      timers.set(handle, timer);
      return handle;
    }

    function arm(handle: number, timer: Timer): void {
      const delay = timer.nesting > 5 && timer.delay < 4 ? 4 : timer.delay;
      timer.nesting++;
      timer.callbackId = host.timerStart(delay);
      const callbacks = use('callbacks');
      callbacks.on(timer.callbackId, () => fire(handle, timer));
      callbacks.onForget(timer.callbackId, () => timers.delete(handle));
    }

    function fire(handle: number, timer: Timer): void {
      use('callbacks').off(timer.callbackId);
      if (!timer.repeats) timers.delete(handle);
      nestingOfRunning = timer.nesting;
      try {
        Reflect.apply(timer.handler, globalThis, timer.args);
      } catch (error) {
        use('reporting').report(error);
      }
      nestingOfRunning = 0;
      if (timer.repeats && timers.has(handle)) rearm(handle, timer);
    }

    function rearm(handle: number, timer: Timer): void {
      try {
        arm(handle, timer);
      } catch (error) {
        timers.delete(handle);
        use('reporting').report(error);
      }
    }

    function clear(handle: unknown): void {
      const key = toLong(handle);
      const timer = timers.get(key);
      if (timer === undefined) return;
      timers.delete(key);
      use('callbacks').off(timer.callbackId);
      host.timerCancel(timer.callbackId);
    }

    async function runSoon(callback: () => unknown): Promise<void> {
      await undefined;
      try {
        callback();
      } catch (error) {
        use('reporting').report(error);
      }
    }

    /** Methods, because functions that Web IDL defines are no constructors. */
    const globals = {
      setTimeout(handler: unknown, delay: unknown = 0, ...args: unknown[]): number {
        requireArguments(1, arguments.length, "Failed to execute 'setTimeout'");
        return start("Failed to execute 'setTimeout'", handler, delay, args, false);
      },
      setInterval(handler: unknown, delay: unknown = 0, ...args: unknown[]): number {
        requireArguments(1, arguments.length, "Failed to execute 'setInterval'");
        return start("Failed to execute 'setInterval'", handler, delay, args, true);
      },
      clearTimeout(handle: unknown = 0): void {
        clear(handle);
      },
      clearInterval(handle: unknown = 0): void {
        clear(handle);
      },
      queueMicrotask(callback: unknown): void {
        const what = "Failed to execute 'queueMicrotask'";
        requireArguments(1, arguments.length, what);
        void runSoon(toFunction(callback, `${what}: parameter 1`));
      },
    };

    return globals;
  },
);
interface Families {
  timers: FamilyOf<typeof timersFamily>;
}
