// Owns event handler attributes such as onabort
// (https://html.spec.whatwg.org/#event-handler-idl-attributes). Runs on the isolate's thread.

const eventHandlersFamily = define('event_handlers', {}, (use) => {
  const { addListener, hasListeners, removeListener } = use('event_target');
  const { preventDefault } = use('events');
  type Target = Parameters<typeof hasListeners>[0];
  type Event = Parameters<typeof preventDefault>[0];

  /** The value of an attribute, and the place among the listeners that it took when it was set. */
  interface Handler {
    value: object;
    readonly listener: Parameters<typeof removeListener>[1];
  }

  /** What an attribute does that most do not. */
  interface Peculiarities {
    /** Runs when the attribute was set. */
    afterSet?(target: Target): void;
    /** Calls the handler in a way of its own; true where what it returned cancels the event. */
    call?(handler: Function, target: Target, event: Event): boolean;
  }

  /** The two sides of an attribute; both throw where they are given no EventTarget. */
  interface HandlerAttribute {
    get(target: Target): unknown;
    set(target: Target, value: unknown): void;
  }

  const flags = { capture: false, once: false, passive: false, signal: undefined };

  /** The attribute `on<type>` of any number of targets. */
  function makeEventHandler(type: string, peculiarities: Peculiarities = {}): HandlerAttribute {
    const handlers = new WeakMap<object, Handler>();

    function set(target: Target, value: unknown): void {
      hasListeners(target, type);
      const current = handlers.get(target);
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
        if (current !== undefined) {
          handlers.delete(target);
          removeListener(target, current.listener);
        }
      } else if (current !== undefined) {
        current.value = value;
      } else {
        const listener = addListener(target, type, (event) => run(target, event as Event), flags);
        handlers.set(target, { value, listener });
      }
      peculiarities.afterSet?.(target);
    }

    function run(target: Target, event: Event): void {
      const handler = handlers.get(target)?.value;
      if (typeof handler !== 'function') return;
      const { call } = peculiarities;
      const cancels = call?.(handler, target, event) ?? Reflect.apply(handler, target, [event]) === false;
      if (cancels) preventDefault(event);
    }

    function get(target: Target): unknown {
      hasListeners(target, type);
      return handlers.get(target)?.value ?? null;
    }

    return { get, set };
  }

  /** Adds the attribute `on<type>` to a class, before `finishInterface`. */
  function defineEventHandler(
    C: { readonly prototype: Target },
    type: string,
    peculiarities: Peculiarities = {},
  ): void {
    const name = `on${type}`;
    const attribute = makeEventHandler(type, peculiarities);
    const accessors = {
      get [name](): unknown {
        return attribute.get(this as unknown as Target);
      },
      set [name](value: unknown) {
        attribute.set(this as unknown as Target, value);
      },
    };
    Object.defineProperty(C.prototype, name, Object.getOwnPropertyDescriptor(accessors, name)!);
  }

  return { defineEventHandler, makeEventHandler };
});
interface Families {
  event_handlers: FamilyOf<typeof eventHandlersFamily>;
}
