// Owns EventTarget (https://dom.spec.whatwg.org/#eventtarget): who listens to what. The global is a
// target like others, whose slots are kept here, because a global is made by V8 and not by a class.
// Runs on the isolate's thread, when a context is made; events are made when there is one.

/** What EventTarget accepts as a listener. */
type EventCallback = ((event: unknown) => unknown) | { handleEvent(event: unknown): unknown };

/** What events need to see of an AbortSignal; its class is built on theirs. */
interface AbortSignalView {
  readonly aborted: boolean;
}

const eventTargetFamily = define('event_target', { globals: { EventTarget: 'class' } }, (use) => {
  const { finishInterface, requireArguments, toDOMString } = use('webidl');

  let listenersOf: (target: EventTarget) => Listener[];
  let changed: (target: EventTarget) => void;
  let watchListeners: (target: EventTarget, fn: () => void) => void;

  const globalTarget = globalThis as unknown as EventTarget;

  /** What a method was called on: as Web IDL has it, the global where it was called on nothing. */
  function toTarget(self: EventTarget | null | undefined): EventTarget {
    return self ?? globalTarget;
  }

  interface Listener {
    readonly type: string;
    readonly callback: EventCallback;
    readonly capture: boolean;
    readonly once: boolean;
    readonly passive: boolean;
    readonly signal: AbortSignalView | undefined;
    readonly onAbort: () => void;
    removed: boolean;
  }

  class EventTarget {
    #listeners: Listener[] = [];
    #changed: (() => void) | null = null;

    addEventListener(type: unknown, callback: unknown, options: unknown = undefined): void {
      const target = toTarget(this);
      const listeners = listenersOf(target);
      const what = "Failed to execute 'addEventListener' on 'EventTarget'";
      requireArguments(2, arguments.length, what);
      const name = toDOMString(type);
      const listener = toListener(callback, what);
      const flags = toAddOptions(options, what);
      if (listener === null || flags.signal?.aborted) return;
      if (findListener(listeners, name, listener, flags.capture) === undefined) {
        addListener(target, name, listener, flags);
      }
    }

    removeEventListener(type: unknown, callback: unknown, options: unknown = undefined): void {
      const target = toTarget(this);
      const listeners = listenersOf(target);
      const what = "Failed to execute 'removeEventListener' on 'EventTarget'";
      requireArguments(2, arguments.length, what);
      const name = toDOMString(type);
      const listener = toListener(callback, what);
      const capture = toCapture(options);
      const found = listener === null ? undefined : findListener(listeners, name, listener, capture);
      if (found !== undefined) removeListener(target, found);
    }

    dispatchEvent(event: unknown): boolean {
      const target = toTarget(this);
      void listenersOf(target);
      const what = "Failed to execute 'dispatchEvent' on 'EventTarget'";
      requireArguments(1, arguments.length, what);
      return use('events').dispatchUntrusted(target, event, what);
    }

    static {
      const slotsOfGlobal = new EventTarget();
      listenersOf = (target) => (target === globalTarget ? slotsOfGlobal : target).#listeners;
      changed = (target) => {
        if (target !== globalTarget) target.#changed?.();
      };
      watchListeners = (target, fn) => {
        target.#changed = fn;
      };
    }
  }

  type AbortSignalInstance = InstanceType<Families['abort']['AbortSignal']>;

  function toListener(callback: unknown, what: string): EventCallback | null {
    if (callback === null || callback === undefined) return null;
    if (typeof callback === 'function' || typeof callback === 'object') return callback as EventCallback;
    throw new TypeError(`${what}: parameter 2 is not of type 'EventListener'.`);
  }

  function toCapture(options: unknown): boolean {
    const isObject = (typeof options === 'object' && options !== null) || typeof options === 'function';
    return Boolean(isObject ? (options as { capture?: unknown }).capture : options);
  }

  type AddOptions = Pick<Listener, 'capture' | 'once' | 'passive' | 'signal'>;

  function toAddOptions(options: unknown, what: string): AddOptions {
    const capture = toCapture(options);
    if ((typeof options !== 'object' && typeof options !== 'function') || options === null) {
      return { capture, once: false, passive: false, signal: undefined };
    }
    const { once, passive, signal } = options as Record<string, unknown>;
    if (signal !== undefined && !use('abort').isAbortSignal(signal)) {
      throw new TypeError(`${what}: member signal is not of type 'AbortSignal'.`);
    }
    return {
      capture,
      once: Boolean(once),
      passive: Boolean(passive),
      signal: signal as AbortSignalView | undefined,
    };
  }

  function findListener(listeners: Listener[], type: string, callback: EventCallback, capture: boolean) {
    for (let i = 0; i < listeners.length; i++) {
      const one = listeners[i];
      if (one.callback === callback && one.capture === capture && one.type === type) return one;
    }
    return undefined;
  }

  function addListener(
    target: EventTarget,
    type: string,
    callback: EventCallback,
    flags: AddOptions,
  ): Listener {
    const { capture, once, passive, signal } = flags;
    const onAbort = () => removeListener(target, listener);
    const listener: Listener = { type, callback, capture, once, passive, signal, onAbort, removed: false };
    listenersOf(target).push(listener);
    if (signal !== undefined) use('abort').addAbortAlgorithm(signal as AbortSignalInstance, onAbort);
    changed(target);
    return listener;
  }

  function removeListener(target: EventTarget, listener: Listener): void {
    if (listener.removed) return;
    listener.removed = true;
    const listeners = listenersOf(target);
    listeners.splice(listeners.indexOf(listener), 1);
    if (listener.signal !== undefined) {
      use('abort').removeAbortAlgorithm(listener.signal as AbortSignalInstance, listener.onAbort);
    }
    changed(target);
  }

  /** Whether anything listens to that type of event. */
  function hasListeners(target: EventTarget, type: string): boolean {
    const listeners = listenersOf(target);
    for (let i = 0; i < listeners.length; i++) if (listeners[i].type === type) return true;
    return false;
  }

  finishInterface(EventTarget);
  return {
    EventTarget,
    globalTarget,
    listenersOf: listenersOf!,
    addListener,
    removeListener,
    hasListeners,
    watchListeners: watchListeners!,
  };
});
interface Families {
  event_target: FamilyOf<typeof eventTargetFamily>;
}
