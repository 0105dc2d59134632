// Owns what a machine can be asked for where every tenant is a process of its own.

import type { CaseName } from './cases.js';
import { availableBytes } from './memory.js';

/** What such a process takes at most, in bytes, as far as the choice here is concerned. */
const PROCESS_BYTES = 80 * 2 ** 20;

/** The cases with many tenants that cannot be, each with the reason. */
export function processTenantLimits(what: string): Partial<Record<CaseName, string>> {
  const thousand = { 'idle-1000': `a tenant is a process of ${what}: a thousand do not fit` };
  if (availableBytes() > 2 * 100 * PROCESS_BYTES) return thousand;
  return {
    ...thousand,
    'idle-100': `a tenant is a process of ${what}: a hundred do not fit on this machine`,
  };
}
