// Owns what modules that `connection.ts` itself needs know of it.

import type { BindingCell, BindingConnection } from '#binding';

/** This thread's connection, and where to put what comes back with what is sent. */
export interface Link {
  readonly connection: BindingConnection;
  /** Delivers what a guest did next; null where that did not come at once. */
  readonly deliver: (batch: BindingCell[] | null) => void;
}
