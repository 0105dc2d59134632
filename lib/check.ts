// Owns the checks that arguments of several kinds share. Each throws ERR_INVALID_ARG with the
// argument's name, what was expected and what came.

import { invalidArgument } from './worker-error.js';

/** An options object: an object with no other keys than those named. */
export function checkOptions(value: unknown, argument: string, keys: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgument(argument, 'an object', value);
  }
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) throw invalidArgument(argument, `only the keys ${keys.join(', ')}`, key);
  }
}

/** A finite number that is not negative. */
export function checkAmount(value: unknown, argument: string, unit: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw invalidArgument(argument, `a non-negative finite number${unit}`, value);
  }
  return value;
}

/** A finite number above zero. */
export function checkPositive(value: unknown, argument: string, unit: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    throw invalidArgument(argument, `a finite number above 0${unit}`, value);
  }
  return value;
}

const LARGEST_COUNT = 0xffff_ffff;

/** A whole number of at least `least`. */
export function checkCount(value: unknown, argument: string, least: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > LARGEST_COUNT) {
    throw invalidArgument(argument, `a whole number of at least ${least}`, value);
  }
  return value;
}

export function checkFunction(value: unknown, argument: string): void {
  if (typeof value !== 'function') throw invalidArgument(argument, 'a function', value);
}

export function checkBoolean(value: unknown, argument: string): boolean {
  if (typeof value !== 'boolean') throw invalidArgument(argument, 'a boolean', value);
  return value;
}

export function checkString(value: unknown, argument: string): string {
  if (typeof value !== 'string') throw invalidArgument(argument, 'a string', value);
  return value;
}

/** A string that is not empty. */
export function checkName(value: unknown, argument: string): string {
  if (typeof value !== 'string' || value === '') throw invalidArgument(argument, 'a non-empty string', value);
  return value;
}

/** An object literal or one without a prototype, of whatever realm. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
