// Owns the public classes of the mode with one isolate on one thread and disposable contexts on it.

import { type BindingCell, BindingContext, BindingSharedIsolate } from '#binding';
import { checkOptions } from './check.js';
import { connection } from './connection.js';
import { parseDefinition, toBinding } from './definition.js';
import { type Destination, dispatchFetch, dispatchScheduled } from './dispatch.js';
import { parseLimits } from './options.js';
import { noAnswer, operation } from './tickets.js';
import type {
  Limits,
  RequestLike,
  RunOptions,
  RunUsage,
  ScheduledEventInit,
  WorkerDefinition,
  WorkerResponse,
} from './types.js';
import { invalidArgument, orThrow } from './worker-error.js';

/** Options of a {@link SharedIsolate}. */
export interface SharedIsolateOptions {
  /** Limits of the isolate, and for each request where the worker or the call does not say otherwise. */
  limits?: Limits;
}

const KEYS: ReadonlyArray<keyof SharedIsolateOptions> = ['limits'];

/**
 * One isolate bound to one thread, with contexts that come and go on it.
 *
 * Workers on it share a heap, so one that exceeds the heap's limit takes the others along. While contexts follow each
 * other within two seconds, the next one is made ahead where the isolate has nothing else to do.
 *
 * @example
 * ```ts
 * await using isolate = new SharedIsolate();
 * await using context = await isolate.createContext(`export default { fetch: () => new Response('hi') }`);
 * const response = await context.fetch('http://worker.test/');
 * ```
 */
export class SharedIsolate implements AsyncDisposable {
  readonly #isolate: BindingSharedIsolate;
  #closed: Promise<void> | undefined;

  /**
   * Starts the isolate's thread.
   *
   * @throws {WorkerError} `ERR_INVALID_ARG` if an option cannot be used.
   */
  constructor(options: SharedIsolateOptions = {}) {
    checkOptions(options, 'options', KEYS);
    const limits = options.limits === undefined ? undefined : parseLimits(options.limits, 'options.limits');
    this.#isolate = orThrow(BindingSharedIsolate.create(connection, limits));
  }

  /**
   * Makes a context and loads a worker in it.
   *
   * @throws {WorkerError} `ERR_WORKER_SYNTAX` or `ERR_WORKER_EXCEPTION` if the worker does not load,
   * `ERR_INVALID_ARG`, or `ERR_CLOSED`.
   */
  async createContext(worker: string | WorkerDefinition): Promise<ExecutionContext> {
    const definition = parseDefinition(worker);
    return await operation(
      (ticket) => this.#isolate.createContext(ticket, toBinding(definition)),
      (_, context) => createExecutionContext(context, this),
      this,
    );
  }

  /** Closes its contexts, ends what is in flight and frees the isolate. Closing twice is closing once. */
  close(): Promise<void> {
    this.#closed ??= operation((ticket) => this.#isolate.close(ticket), noAnswer);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The way into the private constructor. */
let createExecutionContext: (context: BindingCell, isolate: SharedIsolate) => ExecutionContext;

/** A worker in a context of its own on a {@link SharedIsolate}; made by `createContext`. */
export class ExecutionContext implements AsyncDisposable {
  readonly #context: BindingContext;
  readonly #destination: Destination;
  #closed: Promise<void> | undefined;

  static {
    createExecutionContext = (context, isolate) => new ExecutionContext(context, isolate);
  }

  private constructor(context: BindingCell, isolate: SharedIsolate) {
    if (!(context instanceof BindingContext)) {
      throw invalidArgument('new ExecutionContext()', 'SharedIsolate.createContext() in its place', context);
    }
    this.#context = context;
    // Contexts go with their isolate, so whoever has one holds the other.
    this.#destination = { target: context.target(), owner: isolate };
  }

  /**
   * Runs a request in this context.
   *
   * @throws {WorkerError} `ERR_CLOSED` after it or its isolate was closed, and the codes of what went wrong
   * in the worker.
   */
  fetch(request: RequestLike, options?: RunOptions): Promise<WorkerResponse> {
    return dispatchFetch(this.#destination, request, options);
  }

  /** Runs the `scheduled` handler in this context, and gives what it used. */
  scheduled(event?: ScheduledEventInit, options?: RunOptions): Promise<RunUsage> {
    return dispatchScheduled(this.#destination, event, options);
  }

  /** Ends what is in flight and frees the context. Closing twice is closing once. */
  close(): Promise<void> {
    this.#closed ??= operation((ticket) => this.#context.close(ticket), noAnswer);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
