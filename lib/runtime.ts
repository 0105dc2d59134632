// Owns the public class of bare runtimes: scripts in, plain values out.

import { type BindingCell, BindingRuntime } from '#binding';
import { checkBoolean, checkOptions, checkString } from './check.js';
import { connection } from './connection.js';
import { answered, nativeOptions } from './dispatch.js';
import { parseLimits, parseLogHandler, parseRunOptions } from './options.js';
import { bindingOutbound, parseOutbound } from './outbound-option.js';
import { decodeClone } from './structured-clone.js';
import { nextTicket, noAnswer, operation } from './tickets.js';
import type { HeapStatistics, Limits, LogHandler, RunOptions, WorkerDefinition } from './types.js';
import { failureToError, isFailure, orThrow } from './worker-error.js';

/** Options of a {@link Runtime}. */
export interface RuntimeOptions {
  /** Limits of the isolate, and for each script where the call does not say otherwise. */
  limits?: Limits;
  /** Gets what scripts write with `console`. */
  onLog?: LogHandler;
  /** Whether `eval` and `new Function` work. @default false */
  codegen?: boolean;
  /**
   * Where `fetch` may go: public addresses, nowhere, anywhere, or through a function of yours.
   * @default 'public'
   */
  outbound?: WorkerDefinition['outbound'];
}

/** Options of {@link Runtime.evaluate}. */
export interface EvaluateOptions extends RunOptions {
  /** The script's name in stacks. */
  filename?: string;
}

const KEYS: ReadonlyArray<keyof RuntimeOptions> = ['limits', 'onLog', 'codegen', 'outbound'];

/**
 * A bare isolate with one context and an event loop: evaluates scripts and gives back plain values.
 *
 * @example
 * ```ts
 * await using runtime = new Runtime();
 * console.log(await runtime.evaluate<number>('[1, 2, 3].reduce((a, b) => a + b)')); // 6
 * ```
 */
export class Runtime implements AsyncDisposable {
  readonly #runtime: BindingRuntime;
  #closed: Promise<void> | undefined;

  /**
   * Starts the isolate's thread.
   *
   * @throws {WorkerError} `ERR_INVALID_ARG` if an option cannot be used.
   */
  constructor(options: RuntimeOptions = {}) {
    checkOptions(options, 'options', KEYS);
    const codegen = options.codegen === undefined ? false : checkBoolean(options.codegen, 'options.codegen');
    const limits = options.limits === undefined ? undefined : parseLimits(options.limits, 'options.limits');
    const outbound = parseOutbound(options.outbound, 'options.outbound');
    // Last, so that a rejected call leaves no function behind.
    const log = options.onLog === undefined ? undefined : parseLogHandler(options.onLog, 'options.onLog');
    this.#runtime = orThrow(
      BindingRuntime.create(connection, {
        codegen,
        ...(limits === undefined ? {} : { limits }),
        ...(log === undefined ? {} : { log }),
        ...bindingOutbound(outbound),
      }),
    );
  }

  /**
   * Evaluates a script and gives its value, of a promise what it resolves with, by structured clone.
   *
   * @throws {WorkerError} `ERR_WORKER_SYNTAX`, `ERR_WORKER_EXCEPTION` (also for a value that cannot be
   * cloned), the limits' codes, `ERR_CLOSED`; or the reason of an aborted signal.
   */
  async evaluate<T = unknown>(source: string, options?: EvaluateOptions): Promise<T> {
    checkString(source, 'source');
    const run = options === undefined ? undefined : parseRunOptions(options, ['filename']);
    const filename =
      options?.filename === undefined ? undefined : checkString(options.filename, 'options.filename');
    run?.signal?.throwIfAborted();
    const ticket = nextTicket();
    const native = nativeOptions(run?.native, options);
    const answer = this.#runtime.evaluate(ticket, source, filename, native);
    const convert = (head: BindingCell, bytes: BindingCell): T => {
      if (isFailure(head)) throw failureToError(head);
      return decodeClone(bytes as Uint8Array | string) as T;
    };
    return await answered(answer, { ticket, signal: run?.signal, convert, owner: this });
  }

  /** Memory of the isolate now. */
  heapStatistics(): Promise<HeapStatistics> {
    return operation(
      (ticket) => this.#runtime.heapStatistics(ticket),
      (json) => JSON.parse(json as string) as HeapStatistics,
      this,
    );
  }

  /** Ends what is running and frees the isolate. Closing twice is closing once. */
  close(): Promise<void> {
    this.#closed ??= operation((ticket) => this.#runtime.close(ticket), noAnswer);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
