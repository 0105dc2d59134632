// Owns AbortController and AbortSignal (https://dom.spec.whatwg.org/#aborting-ongoing-activities).
// Runs on the isolate's thread.

const abortFamily = define(
  'abort',
  { globals: { AbortController: 'class', AbortSignal: 'class' } },
  (use, host) => {
    const {
      finishInterface,
      illegalConstructor,
      internal,
      requireArguments,
      toSequence,
      toUnsignedLongLong,
    } = use('webidl');
    const { EventTarget, hasListeners, watchListeners } = use('event_target');
    const { Event, dispatchTrusted } = use('events');
    const { defineEventHandler } = use('event_handlers');

    let isAbortSignal: (value: unknown) => value is AbortSignal;
    let addAbortAlgorithm: (signal: AbortSignal, fn: () => void) => void;
    let removeAbortAlgorithm: (signal: AbortSignal, fn: () => void) => void;
    let signalAbort: (signal: AbortSignal, reason?: unknown) => void;
    let createDependent: (signals: AbortSignal[]) => AbortSignal;

    class AbortSignal extends EventTarget {
      #aborted = false;
      #reason: unknown = undefined;
      #algorithms: Set<() => void> | null = null;
      /** The signals that `any` made this one of; never dependent ones themselves, so the graph is flat. */
      #sources: Set<AbortSignal> | null = null;
      #dependents: Dependents | null = null;

      constructor(...[token]: [token: unknown]) {
        illegalConstructor(token);
        super();
      }

      get aborted(): boolean {
        return this.#aborted;
      }
      get reason(): unknown {
        return this.#reason;
      }
      throwIfAborted(): void {
        if (this.#aborted) throw this.#reason;
      }

      static abort(reason: unknown = undefined): AbortSignal {
        const signal = createSignal();
        signal.#aborted = true;
        signal.#reason = reason === undefined ? abortError() : reason;
        return signal;
      }

      static timeout(milliseconds: unknown): AbortSignal {
        requireArguments(1, arguments.length, "Failed to execute 'timeout' on 'AbortSignal'");
        const delay = toUnsignedLongLong(milliseconds, { enforceRange: true });
        const signal = createSignal();
        const callbacks = use('callbacks');
        const id = host.timerStart(delay);
        callbacks.on(id, () => {
          callbacks.off(id);
          const { DOMException } = use('dom_exception');
          signalAbort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
        });
        return signal;
      }

      static any(signals: unknown): AbortSignal {
        const what = "Failed to execute 'any' on 'AbortSignal'";
        requireArguments(1, arguments.length, what);
        return createDependent(toSequence(signals, toAbortSignal, `${what}: parameter 1`));
      }

      static {
        isAbortSignal = (value): value is AbortSignal =>
          typeof value === 'object' && value !== null && #aborted in value;

        addAbortAlgorithm = (signal, fn) => {
          if (signal.#aborted) return;
          signal.#algorithms ??= new Set();
          signal.#algorithms.add(fn);
          updateHold(signal);
        };
        removeAbortAlgorithm = (signal, fn) => {
          if (signal.#algorithms?.delete(fn)) updateHold(signal);
        };

        signalAbort = (signal, reason) => {
          if (signal.#aborted) return;
          const cause = reason === undefined ? abortError() : reason;
          const all = [signal];
          for (const dependent of signal.#dependents?.living() ?? []) {
            if (!dependent.#aborted) all.push(dependent);
          }
          for (const one of all) {
            one.#aborted = true;
            one.#reason = cause;
          }
          for (const one of all) runAbortSteps(one);
        };
        const runAbortSteps = (signal: AbortSignal) => {
          const algorithms = signal.#algorithms;
          signal.#algorithms = null;
          updateHold(signal);
          signal.#dependents = null;
          if (algorithms !== null) for (const fn of algorithms) fn();
          if (hasListeners(signal, 'abort')) dispatchTrusted(signal, new Event('abort'));
        };

        createDependent = (signals) => {
          const result = createSignal();
          const aborted = signals.find((signal) => signal.#aborted);
          if (aborted !== undefined) {
            result.#aborted = true;
            result.#reason = aborted.#reason;
            return result;
          }
          const sources = new Set<AbortSignal>();
          for (const signal of signals) {
            if (signal.#sources === null) sources.add(signal);
            else for (const source of signal.#sources) sources.add(source);
          }
          result.#sources = sources;
          for (const source of sources) (source.#dependents ??= new Dependents()).add(result);
          watchListeners(result, () => updateHold(result));
          return result;
        };

        // A dependent signal that somebody waits for lives as long as a source that can abort it; one
        // that nobody waits for may be collected even though its sources live on.
        const updateHold = (signal: AbortSignal) => {
          if (signal.#sources === null) return;
          const wanted = !signal.#aborted && (!!signal.#algorithms?.size || hasListeners(signal, 'abort'));
          for (const source of signal.#sources) source.#dependents?.hold(signal, wanted);
          if (signal.#aborted) signal.#sources = null;
        };
      }
    }

    /** The signals that depend on one source: weakly, and strongly those that somebody waits for. */
    class Dependents {
      #weak: WeakRef<AbortSignal>[] = [];
      #held = new Set<AbortSignal>();
      #sweepAt = 16;

      add(signal: AbortSignal): void {
        if (this.#weak.length >= this.#sweepAt) {
          this.#weak = this.#weak.filter((ref) => ref.deref() !== undefined);
          this.#sweepAt = Math.max(16, this.#weak.length * 2);
        }
        this.#weak.push(new WeakRef(signal));
      }
      hold(signal: AbortSignal, wanted: boolean): void {
        if (wanted) this.#held.add(signal);
        else this.#held.delete(signal);
      }
      living(): AbortSignal[] {
        return this.#weak.map((ref) => ref.deref()).filter((signal) => signal !== undefined);
      }
    }

    class AbortController {
      #signal = createSignal();
      get signal(): AbortSignal {
        return this.#signal;
      }
      abort(reason: unknown = undefined): void {
        signalAbort(this.#signal, reason);
      }
    }

    function createSignal(): AbortSignal {
      return new AbortSignal(internal);
    }

    function abortError(): unknown {
      const { DOMException } = use('dom_exception');
      return new DOMException('This operation was aborted', 'AbortError');
    }

    function toAbortSignal(value: unknown): AbortSignal {
      if (isAbortSignal(value)) return value;
      throw new TypeError("Failed to convert value to 'AbortSignal'.");
    }

    defineEventHandler(AbortSignal, 'abort');
    finishInterface(AbortSignal);
    finishInterface(AbortController);
    return {
      AbortController,
      AbortSignal,
      isAbortSignal: isAbortSignal!,
      createSignal,
      createDependentSignal: createDependent!,
      signalAbort: signalAbort!,
      addAbortAlgorithm: addAbortAlgorithm!,
      removeAbortAlgorithm: removeAbortAlgorithm!,
    };
  },
);
interface Families {
  abort: FamilyOf<typeof abortFamily>;
}
