// Owns Event, CustomEvent, and how events are dispatched (https://dom.spec.whatwg.org/#events). A worker
// has no tree, so an event's path is its target alone. Runs on the isolate's thread.

const eventsFamily = define('events', { globals: { Event: 'class', CustomEvent: 'class' } }, (use, host) => {
  const { defineConstants, finishInterface, requireArguments, toDictionary, toDOMString } = use('webidl');
  const { listenersOf, removeListener } = use('event_target');
  type EventTarget = Parameters<typeof listenersOf>[0];
  type Listener = ReturnType<typeof listenersOf>[number];
  const AT_TARGET = 2;

  // The doors to private state, opened by the classes' static blocks.
  let isEvent: (value: unknown) => value is Event;
  let setTrusted: (event: Event, trusted: boolean) => void;
  let trustedOf: (event: Event) => boolean;
  let isDispatching: (event: Event) => boolean;
  let dispatch: (event: Event, target: EventTarget) => boolean;
  let cancel: (event: Event) => void;

  // isTrusted is [LegacyUnforgeable]: an own accessor of each event that the guest cannot replace.
  const isTrustedHolder = {
    get isTrusted(): boolean {
      return trustedOf(this as unknown as Event);
    },
  };
  const isTrusted: PropertyDescriptor = {
    get: Object.getOwnPropertyDescriptor(isTrustedHolder, 'isTrusted')!.get,
    set: undefined,
    enumerable: true,
    configurable: false,
  };

  class Event {
    #type: string;
    #bubbles = false;
    #cancelable = false;
    #composed = false;
    #target: EventTarget | null = null;
    #currentTarget: EventTarget | null = null;
    #dispatching = false;
    #stopPropagation = false;
    #stopImmediate = false;
    #canceled = false;
    #inPassiveListener = false;
    #trusted = false;
    #timeStamp = host.now();

    constructor(type: unknown, init: unknown = undefined) {
      requireArguments(1, arguments.length, "Failed to construct 'Event'");
      this.#type = toDOMString(type);
      const options = toDictionary(init, "Failed to construct 'Event': parameter 2");
      if (options !== undefined) {
        this.#bubbles = Boolean(options.bubbles);
        this.#cancelable = Boolean(options.cancelable);
        this.#composed = Boolean(options.composed);
      }
      Object.defineProperty(this, 'isTrusted', isTrusted);
    }

    get type(): string {
      return this.#type;
    }
    get target(): EventTarget | null {
      return this.#target;
    }
    get srcElement(): EventTarget | null {
      return this.#target;
    }
    get currentTarget(): EventTarget | null {
      return this.#currentTarget;
    }
    get eventPhase(): number {
      return this.#dispatching ? AT_TARGET : 0;
    }
    get bubbles(): boolean {
      return this.#bubbles;
    }
    get cancelable(): boolean {
      return this.#cancelable;
    }
    get composed(): boolean {
      return this.#composed;
    }
    get defaultPrevented(): boolean {
      return this.#canceled;
    }
    get timeStamp(): number {
      return this.#timeStamp;
    }
    get cancelBubble(): boolean {
      return this.#stopPropagation;
    }
    set cancelBubble(value: unknown) {
      this.#stopPropagation = this.#stopPropagation || Boolean(value);
    }
    get returnValue(): boolean {
      return !this.#canceled;
    }
    set returnValue(value: unknown) {
      const canceled = !value;
      if (canceled) cancel(this);
      else void this.#type;
    }

    composedPath(): EventTarget[] {
      return this.#currentTarget === null ? [] : [this.#currentTarget];
    }
    stopPropagation(): void {
      this.#stopPropagation = true;
    }
    stopImmediatePropagation(): void {
      this.#stopPropagation = true;
      this.#stopImmediate = true;
    }
    preventDefault(): void {
      cancel(this);
    }
    initEvent(type: unknown, bubbles: unknown = false, cancelable: unknown = false): void {
      requireArguments(1, arguments.length, "Failed to execute 'initEvent' on 'Event'");
      const name = toDOMString(type);
      if (this.#dispatching) return;
      this.#stopPropagation = false;
      this.#stopImmediate = false;
      this.#canceled = false;
      this.#trusted = false;
      this.#target = null;
      this.#type = name;
      this.#bubbles = Boolean(bubbles);
      this.#cancelable = Boolean(cancelable);
    }

    static {
      isEvent = (value): value is Event => typeof value === 'object' && value !== null && #type in value;
      setTrusted = (event, trusted) => {
        event.#trusted = trusted;
      };
      isDispatching = (event) => event.#dispatching;
      cancel = (event) => {
        if (event.#cancelable && !event.#inPassiveListener) event.#canceled = true;
      };
      trustedOf = (event) => event.#trusted;
      const invoke = (event: Event, target: EventTarget, listeners: Listener[], capture: boolean) => {
        for (let i = 0; i < listeners.length && !event.#stopImmediate; i++) {
          const listener = listeners[i];
          if (listener.removed || listener.type !== event.#type || listener.capture !== capture) continue;
          if (listener.once) removeListener(target, listener);
          event.#inPassiveListener = listener.passive;
          callListener(listener.callback, event, target);
          event.#inPassiveListener = false;
        }
      };
      dispatch = (event, target) => {
        event.#target = target;
        const listeners = listenersOf(target);
        if (listeners.length > 0) {
          const snapshot = listeners.slice();
          event.#dispatching = true;
          event.#currentTarget = target;
          if (!event.#stopPropagation) invoke(event, target, snapshot, true);
          if (!event.#stopPropagation) invoke(event, target, snapshot, false);
          event.#currentTarget = null;
          event.#dispatching = false;
        }
        event.#stopPropagation = false;
        event.#stopImmediate = false;
        return !event.#canceled;
      };
    }
  }

  function callListener(callback: Listener['callback'], event: Event, target: EventTarget): void {
    try {
      if (typeof callback === 'function') {
        Reflect.apply(callback, target, [event]);
        return;
      }
      const handle: unknown = callback.handleEvent;
      if (typeof handle !== 'function') throw new TypeError("The listener's handleEvent is not a function.");
      Reflect.apply(handle, callback, [event]);
    } catch (error) {
      use('reporting').report(error);
    }
  }

  /** Dispatches an event of the guest's, with isTrusted false; `what` is who was asked to. */
  function dispatchUntrusted(target: EventTarget, event: unknown, what: string): boolean {
    if (!isEvent(event)) throw new TypeError(`${what}: parameter 1 is not of type 'Event'.`);
    if (isDispatching(event)) {
      const { DOMException } = use('dom_exception');
      throw new DOMException(`${what}: The event is already being dispatched.`, 'InvalidStateError');
    }
    setTrusted(event, false);
    return dispatch(event, target);
  }

  /** Dispatches an event that comes from the runtime, with isTrusted true. */
  function dispatchTrusted(target: EventTarget, event: Event): boolean {
    setTrusted(event, true);
    return dispatch(event, target);
  }

  const { initEvent } = Event.prototype;

  class CustomEvent extends Event {
    #detail: unknown = null;
    constructor(type: unknown, init: unknown = undefined) {
      requireArguments(1, arguments.length, "Failed to construct 'CustomEvent'");
      super(type, init);
      const detail = (init as { detail?: unknown } | null | undefined)?.detail;
      if (detail !== undefined) this.#detail = detail;
    }
    get detail(): unknown {
      return this.#detail;
    }
    initCustomEvent(
      type: unknown,
      bubbles: unknown = false,
      cancelable: unknown = false,
      detail: unknown = null,
    ): void {
      void this.#detail;
      requireArguments(1, arguments.length, "Failed to execute 'initCustomEvent' on 'CustomEvent'");
      if (isDispatching(this)) return;
      initEvent.call(this, toDOMString(type), bubbles, cancelable);
      this.#detail = detail;
    }
  }

  const phases = { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET, BUBBLING_PHASE: 3 };
  defineConstants(Event, phases);
  finishInterface(Event);
  finishInterface(CustomEvent);
  return {
    Event,
    CustomEvent,
    dispatchTrusted,
    dispatchUntrusted,
    isDispatching: isDispatching!,
    preventDefault: cancel!,
  };
});
interface Families {
  events: FamilyOf<typeof eventsFamily>;
}
