// Owns the delivery of guests' console lines to log handlers.

import { registeredFunction } from './functions.js';
import type { LogEntry, LogHandler } from './types.js';

/** Calls a log handler. What it throws is the host's own error: it surfaces as an uncaught exception. */
export function deliverLog(handlerNumber: number, entryJson: string): void {
  const handler = registeredFunction<LogHandler>(handlerNumber);
  if (handler === undefined) return;
  try {
    handler(JSON.parse(entryJson) as LogEntry);
  } catch (error) {
    // Not from here: the rest of the batch must still be delivered.
    queueMicrotask(() => {
      throw error;
    });
  }
}
