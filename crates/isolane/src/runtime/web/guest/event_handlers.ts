// Owns event handler attributes such as onabort
// (https://html.spec.whatwg.org/#event-handler-idl-attributes). Runs on the isolate's thread.

const eventHandlersFamily = define('event_handlers', {}, (use) => {
  const { EventTarget, addListener, hasListeners, preventDefault, removeListener } = use('events');
  type Target = InstanceType<typeof EventTarget>;
  type Event = Parameters<typeof preventDefault>[0];

  /** The value of an attribute, and the place among the listeners that it took when it was set. */
  interface Handler {
    value: object;
    readonly listener: Parameters<typeof removeListener>[1];
  }

  const flags = { capture: false, once: false, passive: false, signal: undefined };

  /** Adds the attribute `on<type>` to a class, before `finishInterface`. */
  function defineEventHandler(C: { readonly prototype: Target }, type: string): void {
    const handlers = new WeakMap<object, Handler>();
    const name = `on${type}`;

    const accessors = {
      get [name](): unknown {
        // Throws where `this` is no EventTarget.
        hasListeners(this as unknown as Target, type);
        return handlers.get(this)?.value ?? null;
      },
      set [name](value: unknown) {
        set(this as unknown as Target, value);
      },
    };

    function set(target: Target, value: unknown): void {
      const current = handlers.get(target);
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
        if (current === undefined) return;
        handlers.delete(target);
        removeListener(target, current.listener);
      } else if (current !== undefined) {
        current.value = value;
      } else {
        const listener = addListener(target, type, (event) => run(target, event as Event), flags);
        handlers.set(target, { value, listener });
      }
    }

    function run(target: Target, event: Event): void {
      const handler = handlers.get(target)?.value;
      if (typeof handler === 'function' && Reflect.apply(handler, target, [event]) === false) {
        preventDefault(event);
      }
    }

    Object.defineProperty(C.prototype, name, Object.getOwnPropertyDescriptor(accessors, name)!);
  }

  return { defineEventHandler };
});
interface Families {
  event_handlers: FamilyOf<typeof eventHandlersFamily>;
}
