// Owns what the global object inherits: WorkerGlobalScope over EventTarget, with the handlers of what
// nobody caught (https://html.spec.whatwg.org/#workerglobalscope). Runs on the isolate's thread, when a
// context is made; the handlers' own family is made when one of them is first used.

const globalScopeFamily = define('global_scope', {}, (use) => {
  const { finishInterface, illegalConstructor } = use('webidl');
  const { EventTarget, globalTarget } = use('event_target');
  type Attribute = ReturnType<Families['event_handlers']['makeEventHandler']>;

  class WorkerGlobalScope extends EventTarget {
    constructor(token: unknown = undefined) {
      illegalConstructor(token);
      super();
    }
    get onerror(): unknown {
      return attributeOf(this, 'error').get(globalTarget);
    }
    set onerror(value: unknown) {
      attributeOf(this, 'error').set(globalTarget, value);
    }
    get onunhandledrejection(): unknown {
      return attributeOf(this, 'unhandledrejection').get(globalTarget);
    }
    set onunhandledrejection(value: unknown) {
      attributeOf(this, 'unhandledrejection').set(globalTarget, value);
    }
    get onrejectionhandled(): unknown {
      return attributeOf(this, 'rejectionhandled').get(globalTarget);
    }
    set onrejectionhandled(value: unknown) {
      attributeOf(this, 'rejectionhandled').set(globalTarget, value);
    }
  }

  const attributes: Record<string, Attribute> = { __proto__: null as never };

  /** The attribute `on<type>`, for the global only: it has no other instance. */
  function attributeOf(self: unknown, type: string): Attribute {
    if (self !== undefined && self !== null && self !== globalTarget) {
      throw new TypeError(`on${type} belongs to the global object`);
    }
    return (attributes[type] ??= use('event_handlers').makeEventHandler(
      type,
      type === 'error' ? { call: callErrorHandler } : {},
    ));
  }

  /** An OnErrorEventHandler: it gets an error's parts, and cancels by returning true. */
  function callErrorHandler(handler: Function, target: object, event: unknown): boolean {
    const parts = use('event_types').errorPartsOf(event);
    if (parts === undefined) return Reflect.apply(handler, target, [event]) === false;
    return Reflect.apply(handler, target, parts) === true;
  }

  finishInterface(WorkerGlobalScope);
  Object.setPrototypeOf(globalThis, WorkerGlobalScope.prototype);
  return {};
});
interface Families {
  global_scope: FamilyOf<typeof globalScopeFamily>;
}
