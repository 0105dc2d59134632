// Owns the public class of pools. The pool itself, its threads and its isolates are native.

import { BindingPool, type BindingTarget } from '#binding';
import { checkName } from './check.js';
import { connection } from './connection.js';
import { parseDefinition, toBinding } from './definition.js';
import { dispatchFetch, dispatchScheduled } from './dispatch.js';
import { parsePoolOptions } from './options.js';
import { noAnswer, operation } from './tickets.js';
import type {
  PoolOptions,
  PoolStats,
  RequestLike,
  RunOptions,
  RunUsage,
  ScheduledEventInit,
  WorkerDefinition,
  WorkerResponse,
} from './types.js';
import { orThrow } from './worker-error.js';

/** Native names kept at most by a pool; the one kept first goes first. */
const MOST_TARGETS = 10_000;

/**
 * A pool of warm isolates for many workers: each worker has isolates of its own, and the least
 * recently used idle ones make room for others.
 *
 * @example
 * ```ts
 * await using pool = new IsolatePool({ maxIsolates: 50 });
 * await pool.deploy('hello', `export default { fetch: () => new Response('hello') }`);
 * const response = await pool.fetch('hello', 'http://hello.test/');
 * console.log(await response.text());
 * ```
 */
export class IsolatePool implements AsyncDisposable {
  readonly #pool: BindingPool;
  /** Native names of workers, which take longer to make than to find. */
  readonly #targets = new Map<string, BindingTarget>();
  #closed: Promise<void> | undefined;

  /**
   * Makes a pool; its isolates are made when they are needed.
   *
   * @throws {WorkerError} `ERR_INVALID_ARG` if an option cannot be used.
   */
  constructor(options: PoolOptions = {}) {
    this.#pool = orThrow(BindingPool.create(connection, parsePoolOptions(options)));
  }

  /**
   * Puts a worker under an id, in the place of the one that was there: that one finishes what it has.
   *
   * @throws {WorkerError} `ERR_WORKER_SYNTAX` or `ERR_WORKER_EXCEPTION` if the worker does not load,
   * `ERR_INVALID_ARG` or `ERR_POOL_CLOSED`.
   */
  async deploy(id: string, worker: string | WorkerDefinition): Promise<void> {
    checkName(id, 'id');
    const definition = parseDefinition(worker);
    await operation((ticket) => this.#pool.deploy(ticket, id, toBinding(definition)), noAnswer, this);
  }

  /**
   * Runs a request on the worker under an id.
   *
   * @throws {WorkerError} `ERR_UNKNOWN_WORKER` if there is none, `ERR_POOL_FULL` or `ERR_POOL_CLOSED`
   * if it did not start, and the codes of what went wrong in the worker.
   */
  fetch(id: string, request: RequestLike, options?: RunOptions): Promise<WorkerResponse> {
    const target = this.#target(id);
    return target instanceof Promise ? target : dispatchFetch({ target }, request, options);
  }

  /**
   * Runs the `scheduled` handler of the worker under an id, and gives what it used.
   *
   * @throws {WorkerError} as {@link IsolatePool.fetch}.
   */
  scheduled(id: string, event?: ScheduledEventInit, options?: RunOptions): Promise<RunUsage> {
    const target = this.#target(id);
    return target instanceof Promise ? target : dispatchScheduled({ target }, event, options);
  }

  /** Whichever worker is under an id, or the rejection of an id that is none. */
  #target(id: string): BindingTarget | Promise<never> {
    const known = this.#targets.get(id);
    if (known !== undefined) return known;
    try {
      const target = this.#pool.target(checkName(id, 'id'));
      this.#targets.set(id, target);
      for (const oldest of this.#targets.keys()) {
        if (this.#targets.size <= MOST_TARGETS) break;
        this.#targets.delete(oldest);
      }
      return target;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Takes a worker out of the pool; whether there was one. Requests in flight finish. */
  async evict(id: string): Promise<boolean> {
    return this.#pool.evict(checkName(id, 'id'));
  }

  /** The pool's counters now. */
  stats(): PoolStats {
    return this.#pool.stats();
  }

  /**
   * Refuses new requests, lets those in flight go on for `graceMs`, ends the rest with
   * `ERR_POOL_CLOSED`, and frees everything. Closing twice is closing once.
   */
  close(): Promise<void> {
    this.#closed ??= operation((ticket) => this.#pool.close(ticket), noAnswer);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
