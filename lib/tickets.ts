// Owns the tickets of calls into native code that are still awaited on this JavaScript thread.

import type { BindingCell } from '#binding';
import { failureToError, isFailure } from './worker-error.js';

/** Takes the two values of an answer. */
export type Settle = (head: BindingCell, body: BindingCell) => void;

interface Pending {
  readonly settle: Settle;
  /** What must not be collected before the answer: the native end of what was called. */
  readonly owner: unknown;
}

const pending = new Map<number, Pending>();
let lastTicket = 0;

/** A number that no call of this thread has had. */
export function nextTicket(): number {
  lastTicket += 1;
  return lastTicket;
}

/** Awaits the answer to a ticket, and holds `owner` until then. */
export function whenSettled(ticket: number, settle: Settle, owner?: unknown): void {
  pending.set(ticket, { settle, owner });
}

/** Stops awaiting: the answer, when it comes, is dropped. */
export function forget(ticket: number): void {
  pending.delete(ticket);
}

/** Hands an answer to whoever awaits it. */
export function settle(ticket: number, head: BindingCell, body: BindingCell): void {
  const waiting = pending.get(ticket);
  pending.delete(ticket);
  waiting?.settle(head, body);
}

/** Starts a native operation that answers by ticket, and gives its answer as a promise; holds `owner` until then. */
export function operation<T>(
  start: (ticket: number) => void,
  convert: (head: BindingCell, body: BindingCell) => T,
  owner?: unknown,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const ticket = nextTicket();
    const settle: Settle = (head, body) => {
      try {
        if (isFailure(head)) reject(failureToError(head));
        else resolve(convert(head, body));
      } catch (error) {
        reject(error);
      }
    };
    whenSettled(ticket, settle, owner);
    try {
      start(ticket);
    } catch (error) {
      forget(ticket);
      reject(error);
    }
  });
}

/** The conversion of operations that answer with nothing. */
export function noAnswer(): void {}
