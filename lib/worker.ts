// Owns the public class of workers that get a new isolate for every request.

import { type BindingTarget, BindingWorker, type BindingWorkerOptions } from '#binding';
import { checkCount, checkOptions } from './check.js';
import { connection } from './connection.js';
import { parseDefinition, toBinding } from './definition.js';
import { dispatchFetch, dispatchScheduled } from './dispatch.js';
import { parseLimits, parseLogHandler } from './options.js';
import type {
  Limits,
  LogHandler,
  RequestLike,
  RunOptions,
  RunUsage,
  ScheduledEventInit,
  WorkerDefinition,
  WorkerResponse,
} from './types.js';
import { orThrow } from './worker-error.js';

/** Options of a {@link Worker}. */
export interface WorkerOptions {
  /** Limits for each request, where the definition or the call does not say otherwise. */
  limits?: Limits;
  /** Gets what the worker writes with `console`. */
  onLog?: LogHandler;
  /** Requests that run at a time, each with an isolate and a thread of its own; more of them wait. @default 100 */
  maxConcurrency?: number;
  /** Requests that may wait; more are refused with ERR_POOL_FULL. @default 10_000 */
  maxQueue?: number;
}

const KEYS: ReadonlyArray<keyof WorkerOptions> = ['limits', 'onLog', 'maxConcurrency', 'maxQueue'];

function parseOptions(options: WorkerOptions): BindingWorkerOptions {
  checkOptions(options, 'options', KEYS);
  const { limits, onLog, maxConcurrency, maxQueue } = options;
  const parsed: BindingWorkerOptions = {};
  if (limits !== undefined) parsed.limits = parseLimits(limits, 'options.limits');
  if (maxConcurrency !== undefined) {
    parsed.maxConcurrency = checkCount(maxConcurrency, 'options.maxConcurrency', 1);
  }
  if (maxQueue !== undefined) parsed.maxQueue = checkCount(maxQueue, 'options.maxQueue', 0);
  // Last, so that a rejected call leaves no handler behind.
  if (onLog !== undefined) parsed.log = parseLogHandler(onLog, 'options.onLog');
  return parsed;
}

/**
 * A worker that gets a new isolate for every request: the most isolation.
 *
 * An isolate takes about two milliseconds to make. While requests follow each other within two seconds, that of the
 * next one is made ahead, with the worker's modules evaluated in it: then a request takes a fraction of a millisecond.
 *
 * @example
 * ```ts
 * await using worker = new Worker(`export default { fetch: () => new Response('fresh') }`);
 * const response = await worker.fetch('http://worker.test/');
 * ```
 */
export class Worker implements AsyncDisposable {
  readonly #worker: BindingWorker;
  readonly #target: BindingTarget;

  /**
   * Takes the worker's code; nothing runs before the first request.
   *
   * @throws {WorkerError} `ERR_INVALID_ARG` if an argument cannot be used.
   */
  constructor(worker: string | WorkerDefinition, options: WorkerOptions = {}) {
    const definition = parseDefinition(worker);
    const parsed = parseOptions(options);
    this.#worker = orThrow(BindingWorker.create(connection, toBinding(definition), parsed));
    this.#target = this.#worker.target();
  }

  /**
   * Runs a request in an isolate of its own.
   *
   * @throws {WorkerError} `ERR_POOL_FULL` where too many wait already, `ERR_CLOSED` after {@link Worker.close},
   * `ERR_WORKER_SYNTAX`, and the codes of what went wrong in the worker.
   */
  fetch(request: RequestLike, options?: RunOptions): Promise<WorkerResponse> {
    return dispatchFetch({ target: this.#target }, request, options);
  }

  /** Runs the `scheduled` handler in an isolate of its own, and gives what it used. */
  scheduled(event?: ScheduledEventInit, options?: RunOptions): Promise<RunUsage> {
    return dispatchScheduled({ target: this.#target }, event, options);
  }

  /** Ends what is in flight and frees everything. Closing twice is closing once. */
  async close(): Promise<void> {
    this.#worker.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
