// Owns where replies to guests go that wait for a function of the host's.

import type { BindingCell, BindingConnection } from '#binding';

/** This thread's replies, and what they bring with them. */
export interface Replies {
  readonly connection: BindingConnection;
  /** Delivers what the guest did next, if that came at once. */
  readonly deliver: (batch: BindingCell[]) => void;
}
