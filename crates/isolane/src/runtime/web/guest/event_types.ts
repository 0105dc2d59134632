// Owns the events that carry an error, a rejected promise or a message
// (https://html.spec.whatwg.org/#errorevent, #promiserejectionevent, #messageevent). Runs on the
// isolate's thread.

const eventTypesFamily = define(
  'event_types',
  { globals: { ErrorEvent: 'class', PromiseRejectionEvent: 'class', MessageEvent: 'class' } },
  (use) => {
    const {
      finishInterface,
      requireArguments,
      toDictionary,
      toDOMString,
      toUnsignedLong,
      toUSVString,
      toSequence,
    } = use('webidl');
    const { Event, isDispatching } = use('events');
    const { initEvent } = Event.prototype;

    let errorPartsOf: (event: unknown) => unknown[] | undefined;

    class ErrorEvent extends Event {
      #message = '';
      #filename = '';
      #lineno = 0;
      #colno = 0;
      #error: unknown = undefined;
      constructor(type: unknown, init: unknown = undefined) {
        requireArguments(1, arguments.length, "Failed to construct 'ErrorEvent'");
        super(type, init);
        const options = toDictionary(init);
        if (options === undefined) return;
        const { message, filename, lineno, colno, error } = options;
        if (message !== undefined) this.#message = toDOMString(message);
        if (filename !== undefined) this.#filename = toUSVString(filename);
        if (lineno !== undefined) this.#lineno = toUnsignedLong(lineno);
        if (colno !== undefined) this.#colno = toUnsignedLong(colno);
        this.#error = error;
      }
      get message(): string {
        return this.#message;
      }
      get filename(): string {
        return this.#filename;
      }
      get lineno(): number {
        return this.#lineno;
      }
      get colno(): number {
        return this.#colno;
      }
      get error(): unknown {
        return this.#error;
      }
      static {
        errorPartsOf = (event) => {
          if (typeof event !== 'object' || event === null || !(#message in event)) return undefined;
          return [event.#message, event.#filename, event.#lineno, event.#colno, event.#error];
        };
      }
    }

    class PromiseRejectionEvent extends Event {
      #promise: object;
      #reason: unknown;
      constructor(type: unknown, init: unknown) {
        const what = "Failed to construct 'PromiseRejectionEvent'";
        requireArguments(2, arguments.length, what);
        super(type, init);
        const options = toDictionary(init) ?? {};
        const { promise, reason } = options;
        if ((typeof promise !== 'object' && typeof promise !== 'function') || promise === null) {
          throw new TypeError(`${what}: required member promise is not an object.`);
        }
        this.#promise = promise;
        this.#reason = reason;
      }
      get promise(): object {
        return this.#promise;
      }
      get reason(): unknown {
        return this.#reason;
      }
    }

    /** What a message of the runtime's carries. */
    interface MessageParts {
      readonly data: unknown;
      readonly origin?: string;
      readonly lastEventId?: string;
      readonly ports?: readonly unknown[];
    }

    let createMessageEvent: (type: string, parts: MessageParts) => MessageEvent;

    class MessageEvent extends Event {
      #data: unknown = null;
      #origin = '';
      #lastEventId = '';
      #source: unknown = null;
      #ports: readonly unknown[] = Object.freeze([]);
      constructor(type: unknown, init: unknown = undefined) {
        const what = "Failed to construct 'MessageEvent'";
        requireArguments(1, arguments.length, what);
        super(type, init);
        const options = toDictionary(init);
        if (options === undefined) return;
        const { data, lastEventId, origin, ports, source } = options;
        if (data !== undefined) this.#data = data;
        if (lastEventId !== undefined) this.#lastEventId = toDOMString(lastEventId);
        if (origin !== undefined) this.#origin = toUSVString(origin);
        if (ports !== undefined) this.#ports = toPorts(ports, what);
        if (source !== undefined) this.#source = toSource(source, what);
      }
      get data(): unknown {
        return this.#data;
      }
      get origin(): string {
        return this.#origin;
      }
      get lastEventId(): string {
        return this.#lastEventId;
      }
      get source(): unknown {
        return this.#source;
      }
      get ports(): readonly unknown[] {
        return this.#ports;
      }
      initMessageEvent(
        type: unknown,
        bubbles: unknown = false,
        cancelable: unknown = false,
        data: unknown = null,
        origin: unknown = '',
        lastEventId: unknown = '',
        source: unknown = null,
        ports: unknown = [],
      ): void {
        void this.#data;
        const what = "Failed to execute 'initMessageEvent' on 'MessageEvent'";
        requireArguments(1, arguments.length, what);
        const parts = {
          type: toDOMString(type),
          origin: toUSVString(origin),
          lastEventId: toDOMString(lastEventId),
          source: toSource(source, what),
          ports: toPorts(ports, what),
        };
        if (isDispatching(this)) return;
        initEvent.call(this, parts.type, bubbles, cancelable);
        this.#data = data;
        this.#origin = parts.origin;
        this.#lastEventId = parts.lastEventId;
        this.#source = parts.source;
        this.#ports = parts.ports;
      }
      static {
        createMessageEvent = (type, parts) => {
          const event = new MessageEvent(type);
          event.#data = parts.data;
          event.#origin = parts.origin ?? '';
          event.#lastEventId = parts.lastEventId ?? '';
          event.#ports = Object.freeze([...(parts.ports ?? [])]);
          return event;
        };
      }
    }

    function toPorts(value: unknown, what: string): readonly unknown[] {
      const { isPort } = use('message_port');
      return Object.freeze(
        toSequence(
          value,
          (port) => {
            if (isPort(port)) return port;
            throw new TypeError(`${what}: member ports holds a value that is not a MessagePort.`);
          },
          `${what}: member ports`,
        ),
      );
    }

    function toSource(value: unknown, what: string): unknown {
      if (value === null || value === undefined) return null;
      if (use('message_port').isPort(value)) return value;
      throw new TypeError(`${what}: member source is not a MessagePort.`);
    }

    finishInterface(ErrorEvent);
    finishInterface(PromiseRejectionEvent);
    finishInterface(MessageEvent);
    return {
      ErrorEvent,
      PromiseRejectionEvent,
      MessageEvent,
      createMessageEvent: createMessageEvent!,
      errorPartsOf: errorPartsOf!,
    };
  },
);
interface Families {
  event_types: FamilyOf<typeof eventTypesFamily>;
}
