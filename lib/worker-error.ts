// Owns the one error class that this package throws, its codes, and how failures that cross the
// binding as data become errors. Runs on the JavaScript thread of the caller.

import type { RunUsage } from './types.js';

/** The stable codes of {@link WorkerError}. */
export type WorkerErrorCode =
  | 'ERR_INVALID_ARG'
  | 'ERR_UNKNOWN_WORKER'
  | 'ERR_WORKER_SYNTAX'
  | 'ERR_WORKER_EXCEPTION'
  | 'ERR_NO_HANDLER'
  | 'ERR_NO_RESPONSE'
  | 'ERR_CPU_LIMIT'
  | 'ERR_WALL_LIMIT'
  | 'ERR_HEAP_LIMIT'
  | 'ERR_BUFFER_LIMIT'
  | 'ERR_RESPONSE_LIMIT'
  | 'ERR_ISOLATE_CRASHED'
  | 'ERR_POOL_FULL'
  | 'ERR_POOL_CLOSED'
  | 'ERR_POOL_INITIALIZED'
  | 'ERR_CLOSED'
  | 'ERR_INTERNAL';

/** What guest code threw, as strings: no guest object ever reaches the host. */
export interface GuestException {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/** A failure as the binding reports it. */
export interface FailureData {
  readonly code: WorkerErrorCode;
  readonly message: string;
  readonly guest?: GuestException;
  readonly usage?: RunUsage;
}

/**
 * The error of every failed call: `code` says which failure it was, and never changes its meaning.
 *
 * @example
 * ```ts
 * try {
 *   await executePooled('a', script, 'http://a.test/');
 * } catch (error) {
 *   if (error instanceof WorkerError && error.code === 'ERR_CPU_LIMIT') console.log(error.usage?.cpuMs);
 *   else throw error;
 * }
 * ```
 */
export class WorkerError extends Error {
  static {
    WorkerError.prototype.name = 'WorkerError';
  }

  /** Which failure this is. */
  readonly code: WorkerErrorCode;
  /** What guest code threw; present with `ERR_WORKER_EXCEPTION`. */
  declare readonly guest?: GuestException;
  /** What the request had used when it ended, where it had started. */
  declare readonly usage?: RunUsage;

  /** Errors are made by this package; the parts are those of its properties. */
  constructor(failure: FailureData, options?: ErrorOptions) {
    super(failure.message, options);
    this.code = failure.code;
    if (failure.guest !== undefined) this.guest = failure.guest;
    if (failure.usage !== undefined) this.usage = failure.usage;
  }
}

/** The error for an argument that cannot be used: names it, what was expected, and what came. */
export function invalidArgument(argument: string, expected: string, actual: unknown): WorkerError {
  return new WorkerError({
    code: 'ERR_INVALID_ARG',
    message: `${argument}: expected ${expected}, got ${describe(actual)}`,
  });
}

/** Failures cross the binding as JSON behind this mark; everything else is a success. */
const FAILURE_MARK = '!';

/** Whether an answer of the binding is a failure. */
export function isFailure(answer: unknown): answer is string {
  return typeof answer === 'string' && answer.startsWith(FAILURE_MARK);
}

/** The error that a failure of the binding stands for. */
export function failureToError(answer: string): WorkerError {
  return new WorkerError(JSON.parse(answer.slice(FAILURE_MARK.length)) as FailureData);
}

/** Throws where the binding answered with a failure, and hands back anything else. */
export function orThrow<T>(answer: T | string): T {
  if (isFailure(answer)) throw failureToError(answer);
  return answer as T;
}

const LONGEST_DESCRIPTION = 60;

/** A short description of any value, for messages; it never runs code of the value. */
function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') {
    return JSON.stringify(
      value.length > LONGEST_DESCRIPTION ? `${value.slice(0, LONGEST_DESCRIPTION)}…` : value,
    );
  }
  if (typeof value === 'function') return `a function`;
  if (typeof value === 'symbol') return `a symbol`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return 'an array';
  return `an object (${Object.prototype.toString.call(value).slice(8, -1)})`;
}
