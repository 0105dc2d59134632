// Owns the option that says where a guest's `fetch` may go: checked, and in the form that the binding takes.

import { registerFunction } from './functions.js';
import type { OutboundHandler } from './types.js';
import { invalidArgument } from './worker-error.js';

/** Where fetches may go, once checked. */
export type ParsedOutbound = 'public' | 'none' | 'any' | OutboundHandler;

export function parseOutbound(outbound: unknown, argument: string): ParsedOutbound {
  if (outbound === undefined) return 'public';
  if (typeof outbound === 'function') return outbound as OutboundHandler;
  if (outbound === 'public' || outbound === 'none' || outbound === 'any') return outbound;
  throw invalidArgument(argument, `'public', 'none', 'any' or a function`, outbound);
}

/** As the binding takes it. A function is registered: native code releases it. */
export function bindingOutbound(
  outbound: ParsedOutbound,
): { outbound: 'public' | 'none' | 'any' } | { outboundFunction: number } {
  return typeof outbound === 'function' ? { outboundFunction: registerFunction(outbound) } : { outbound };
}
