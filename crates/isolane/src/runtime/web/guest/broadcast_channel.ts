// Owns BroadcastChannel (https://html.spec.whatwg.org/#broadcasting-to-other-browsing-contexts). Its reach is
// the context: a worker's requests see each other's messages where they share one, and no other worker does.
// Runs on the isolate's thread.

const broadcastChannelFamily = define(
  'broadcast_channel',
  { globals: { BroadcastChannel: 'class' } },
  (use) => {
    const { finishInterface, requireArguments, toDOMString } = use('webidl');
    const { EventTarget } = use('event_target');
    const { dispatchTrusted } = use('events');
    const { defineEventHandler } = use('event_handlers');

    /** Channels that are open, in the order of their creation. */
    const open = new Set<BroadcastChannel>();
    /** A runtime without a location has an opaque origin. */
    const ORIGIN = 'null';

    class BroadcastChannel extends EventTarget {
      #name: string;

      constructor(name: unknown) {
        requireArguments(1, arguments.length, "Failed to construct 'BroadcastChannel'");
        const text = toDOMString(name);
        super();
        this.#name = text;
        open.add(this);
      }

      get name(): string {
        return this.#name;
      }

      postMessage(message: unknown): void {
        const name = this.#name;
        const what = "Failed to execute 'postMessage' on 'BroadcastChannel'";
        requireArguments(1, arguments.length, what);
        if (!open.has(this)) {
          const { DOMException } = use('dom_exception');
          throw new DOMException(`${what}: the channel is closed.`, 'InvalidStateError');
        }
        const { structuredClone } = use('structured_clone');
        const kept = structuredClone(message);
        const { queueTask } = use('tasks');
        for (const channel of open) {
          if (channel === this || channel.#name !== name) continue;
          queueTask(() => {
            if (!open.has(channel)) return;
            const { createMessageEvent } = use('event_types');
            // The kept copy is nobody's, so copying it again calls no code of a guest's.
            const parts = { data: structuredClone(kept), origin: ORIGIN };
            dispatchTrusted(channel, createMessageEvent('message', parts));
          });
        }
      }

      close(): void {
        void this.#name;
        open.delete(this);
      }
    }

    for (const type of ['message', 'messageerror']) defineEventHandler(BroadcastChannel, type);
    finishInterface(BroadcastChannel);
    return { BroadcastChannel };
  },
);
interface Families {
  broadcast_channel: FamilyOf<typeof broadcastChannelFamily>;
}
