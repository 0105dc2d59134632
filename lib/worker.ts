// Owns the public class of workers that get a new isolate for every request.

import { type BindingTarget, BindingWorker } from '#binding';
import { checkOptions } from './check.js';
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
}

const KEYS: ReadonlyArray<keyof WorkerOptions> = ['limits', 'onLog'];

/**
 * A worker that gets a new isolate for every request: the most isolation, at a few milliseconds.
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
    checkOptions(options, 'options', KEYS);
    const limits = options.limits === undefined ? undefined : parseLimits(options.limits, 'options.limits');
    const log = options.onLog === undefined ? undefined : parseLogHandler(options.onLog, 'options.onLog');
    this.#worker = orThrow(BindingWorker.create(connection, toBinding(definition), limits, log));
    this.#target = this.#worker.target();
  }

  /**
   * Runs a request in an isolate of its own.
   *
   * @throws {WorkerError} `ERR_CLOSED` after {@link Worker.close}, `ERR_WORKER_SYNTAX`, and the codes of what
   * went wrong in the worker.
   */
  fetch(request: RequestLike, options?: RunOptions): Promise<WorkerResponse> {
    return dispatchFetch(this.#target, request, options);
  }

  /** Runs the `scheduled` handler in an isolate of its own, and gives what it used. */
  scheduled(event?: ScheduledEventInit, options?: RunOptions): Promise<RunUsage> {
    return dispatchScheduled(this.#target, event, options);
  }

  /** Ends what is in flight and frees everything. Closing twice is closing once. */
  async close(): Promise<void> {
    this.#worker.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
