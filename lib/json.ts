// Owns the check that a value is JSON: nothing that JSON.stringify would drop, change or call.

import { isPlainObject } from './check.js';
import { invalidArgument } from './worker-error.js';

/** Throws ERR_INVALID_ARG, naming the place, unless the value survives JSON unchanged. */
export function checkJson(value: unknown, argument: string, ancestors: readonly unknown[] = []): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (!Array.isArray(value) && !isPlainObject(value)) {
    throw invalidArgument(argument, 'a JSON value, a function or an object of functions', value);
  }
  if (ancestors.includes(value)) throw invalidArgument(argument, 'JSON without cycles', value);
  const path = [...ancestors, value];
  // By index, so that holes are seen.
  if (Array.isArray(value))
    for (let at = 0; at < value.length; at += 1) checkJson(value[at], `${argument}[${at}]`, path);
  else for (const [key, member] of Object.entries(value)) checkJson(member, `${argument}.${key}`, path);
}
