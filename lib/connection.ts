// Owns this JavaScript thread's one connection to native code, and sorts what it delivers: answers
// to tickets, console lines, and requests for the host's functions.

import { AsyncResource } from 'node:async_hooks';
import { type BindingCell, BindingConnection } from '#binding';
import { releaseFunction } from './functions.js';
import { callHostFunction } from './host-call.js';
import type { Link } from './link.js';
import { deliverLog } from './log.js';
import { abandonOutbound, answerOutbound } from './outbound.js';
import { settle } from './tickets.js';

/** What a delivery is about; the native side has the same list in `delivery.rs`. */
const SETTLED = 0;
const LOG = 1;
const HOST_CALL = 2;
const OUTBOUND = 3;
const OUTBOUND_ABANDONED = 4;
const RELEASED = 5;
const REST = 6;

/** Cells of one delivery: its kind, a number, and two values that depend on the kind. */
const STRIDE = 4;

/** The native end. It keeps the process alive only while an answer is awaited. */
export const connection: BindingConnection = new BindingConnection(deliver);

/** What is delivered in the middle of somebody's call is not to run as a part of it: it may be about another one. */
const ownResource = new AsyncResource('IsolaneConnection');

export const link: Link = { connection, deliver: deliverOutside };

const resolved = Promise.resolve();

/** Delivers what came while a call waited, as soon as the call's caller has gone on. */
export function deliverGathered(): void {
  void resolved.then(() => deliverOutside(connection.takeGathered()));
}

function deliverOutside(batch: BindingCell[] | null): void {
  if (batch !== null) ownResource.runInAsyncScope(deliver, undefined, batch);
}

function deliver(batch: BindingCell[]): void {
  for (let at = 0; at < batch.length; at += STRIDE) {
    const id = batch[at + 1] as number;
    const head = batch[at + 2];
    const body = batch[at + 3];
    switch (batch[at]) {
      case SETTLED:
        settle(id, head, body);
        break;
      case LOG:
        deliverLog(id, head as string);
        break;
      case HOST_CALL:
        void callHostFunction(link, id, head as number, body as Uint8Array | string);
        break;
      case OUTBOUND:
        void answerOutbound(link, id, head as string, body);
        break;
      case OUTBOUND_ABANDONED:
        abandonOutbound(id);
        break;
      case RELEASED:
        releaseFunction(id);
        break;
      case REST:
        // Guests may have more to say than this thread has time for: the loop's other work comes first.
        setImmediate(() => deliver(connection.takeAfterTurn()));
        break;
    }
  }
}
