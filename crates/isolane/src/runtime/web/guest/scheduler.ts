// Owns scheduler.wait: a promise of a point in time, which a signal can call off. Runs on the isolate's
// thread.

const schedulerFamily = define(
  'scheduler',
  { globals: { Scheduler: 'class', scheduler: 'object' } },
  (use, host) => {
    const { finishInterface, illegalConstructor, internal, requireArguments } = use('webidl');
    const { toDictionary, toUnsignedLongLong } = use('webidl');
    type Signal = InstanceType<Families['abort']['AbortSignal']>;

    class Scheduler {
      #brand = true;
      constructor(token: unknown = undefined) {
        illegalConstructor(token);
      }
      async wait(milliseconds: unknown, options: unknown = undefined): Promise<void> {
        void this.#brand;
        const what = "Failed to execute 'wait' on 'Scheduler'";
        requireArguments(1, arguments.length, what);
        const delay = toUnsignedLongLong(milliseconds, { clamp: true });
        const signal = toDictionary(options, `${what}: parameter 2`)?.signal;
        if (signal === undefined) return waitUntil(delay, null);
        if (!use('abort').isAbortSignal(signal)) {
          throw new TypeError(`${what}: member signal is not of type 'AbortSignal'.`);
        }
        signal.throwIfAborted();
        return waitUntil(delay, signal);
      }
    }

    /** A promise of a point in time; it is rejected with the signal's reason where that is aborted before. */
    function waitUntil(delay: number, signal: Signal | null): Promise<void> {
      const callbacks = use('callbacks');
      return new Promise((resolve, reject) => {
        const id = host.timerStart(delay);
        const onAbort = () => {
          callbacks.off(id);
          host.timerCancel(id);
          reject(signal!.reason);
        };
        const stopListening = () => {
          if (signal !== null) use('abort').removeAbortAlgorithm(signal, onAbort);
        };
        callbacks.on(id, () => {
          callbacks.off(id);
          stopListening();
          resolve();
        });
        callbacks.onForget(id, stopListening);
        if (signal !== null) use('abort').addAbortAlgorithm(signal, onAbort);
      });
    }

    finishInterface(Scheduler);
    return { Scheduler, scheduler: new Scheduler(internal), waitUntil };
  },
);
interface Families {
  scheduler: FamilyOf<typeof schedulerFamily>;
}
