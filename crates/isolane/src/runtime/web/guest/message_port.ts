// Owns MessageChannel and MessagePort (https://html.spec.whatwg.org/#message-channels) within one context.
// A message is delivered as a task of the request that posted it, and is dropped when that ends. Runs on
// the isolate's thread.

const messagePortFamily = define(
  'message_port',
  { globals: { MessageChannel: 'class', MessagePort: 'class' } },
  (use) => {
    const { finishInterface, illegalConstructor, internal, makeTransferable, requireArguments } =
      use('webidl');
    const { EventTarget } = use('event_target');
    const { Event, dispatchTrusted } = use('events');
    const { defineEventHandler } = use('event_handlers');

    interface Message {
      readonly data: unknown;
      readonly ports: readonly MessagePort[];
    }

    /** The state that moves on when a port is transferred. */
    interface End {
      port: MessagePort;
      other: End | null;
      isStarted: boolean;
      /** Messages that came before the port was started. */
      waiting: Message[];
      /** Messages whose tasks are on their way, by the tasks' ids. */
      readonly tasks: Map<number, Message>;
    }

    let entangle: (first: MessagePort, second: MessagePort) => void;
    let start: (port: MessagePort) => void;
    let isPort: (value: unknown) => value is MessagePort;

    class MessagePort extends EventTarget {
      #end: End | null = null;

      constructor(token: unknown = undefined) {
        illegalConstructor(token);
        super();
      }

      postMessage(message: unknown, options: unknown = undefined): void {
        const end = this.#end;
        const what = "Failed to execute 'postMessage' on 'MessagePort'";
        requireArguments(1, arguments.length, what);
        const transfer = toTransferList(options, what);
        const { DOMException } = use('dom_exception');
        if (transfer.includes(this)) {
          throw new DOMException(`${what}: a port cannot transfer itself.`, 'DataCloneError');
        }
        const target = end?.other ?? null;
        const isDoomed = target !== null && transfer.includes(target.port);
        const { copy, transferred } = use('structured_clone').cloneWithTransfer(message, transfer);
        if (target === null || isDoomed) return;
        deliver(target, { data: copy, ports: transferred.filter(isPort) });
      }

      start(): void {
        start(this);
      }

      close(): void {
        const end = this.#end;
        this.#end = null;
        if (end !== null) disentangle(end);
      }

      static {
        entangle = (first, second) => {
          const make = (port: MessagePort): End => ({
            port,
            other: null,
            isStarted: false,
            waiting: [],
            tasks: new Map(),
          });
          const [one, two] = [make(first), make(second)];
          one.other = two;
          two.other = one;
          first.#end = one;
          second.#end = two;
        };
        start = (port) => {
          const end = port.#end;
          if (end === null || end.isStarted) return;
          end.isStarted = true;
          for (const message of end.waiting.splice(0)) deliver(end, message);
        };
        isPort = (value): value is MessagePort =>
          typeof value === 'object' && value !== null && #end in value;

        makeTransferable({
          name: 'MessagePort',
          has: isPort,
          isDetached: (port: MessagePort) => port.#end === null,
          transfer: (port: MessagePort) => {
            const copy = new MessagePort(internal);
            const end = port.#end!;
            port.#end = null;
            copy.#end = end;
            end.port = copy;
            end.isStarted = false;
            end.waiting.unshift(...stopTasks(end));
            return copy;
          },
        });
      }
    }

    /** Takes back what is on its way to a port. */
    function stopTasks(end: End): Message[] {
      const messages = [...end.tasks.values()];
      for (const id of end.tasks.keys()) use('tasks').cancelTask(id);
      end.tasks.clear();
      return messages;
    }

    function deliver(end: End, message: Message): void {
      if (!end.isStarted) {
        end.waiting.push(message);
        return;
      }
      const id = use('tasks').queueTask(() => {
        end.tasks.delete(id);
        dispatchTrusted(end.port, use('event_types').createMessageEvent('message', message));
      });
      end.tasks.set(id, message);
      use('callbacks').onForget(id, () => end.tasks.delete(id));
    }

    function disentangle(end: End): void {
      stopTasks(end);
      end.waiting.length = 0;
      const { other } = end;
      end.other = null;
      if (other === null) return;
      other.other = null;
      use('tasks').queueTask(() => dispatchTrusted(other.port, new Event('close')));
    }

    /** The objects of the second argument of postMessage: a sequence, or a dictionary with one. */
    function toTransferList(options: unknown, what: string): object[] {
      if (options === undefined || options === null) return [];
      if (typeof options !== 'object' && typeof options !== 'function') {
        throw new TypeError(`${what}: parameter 2 is neither a sequence nor an object.`);
      }
      const isSequence = (options as { [Symbol.iterator]?: unknown })[Symbol.iterator] !== undefined;
      const list = isSequence ? options : (options as { transfer?: unknown }).transfer;
      if (list === undefined) return [];
      return use('structured_clone').toTransferList(list, `${what}: the list of what to transfer`);
    }

    class MessageChannel {
      #port1 = new MessagePort(internal);
      #port2 = new MessagePort(internal);
      constructor() {
        entangle(this.#port1, this.#port2);
      }
      get port1(): MessagePort {
        return this.#port1;
      }
      get port2(): MessagePort {
        return this.#port2;
      }
    }

    defineEventHandler(MessagePort, 'message', { afterSet: (port) => start(port as MessagePort) });
    defineEventHandler(MessagePort, 'messageerror');
    defineEventHandler(MessagePort, 'close');
    finishInterface(MessagePort);
    finishInterface(MessageChannel);
    return { MessageChannel, MessagePort, isPort: isPort! };
  },
);
interface Families {
  message_port: FamilyOf<typeof messagePortFamily>;
}
