// Owns the functions of the process's default pool, and the memory of what was last run under each
// id: a request whose definition has not changed crosses with a reference, not with the code.

import { BindingPool, type BindingTarget } from '#binding';
import { checkName } from './check.js';
import { connection } from './connection.js';
import {
  type ParsedDefinition,
  parseDefinition,
  sameDefinition,
  sourceLength,
  toBinding,
} from './definition.js';
import { dispatchFetch } from './dispatch.js';
import { parsePoolOptions } from './options.js';
import type {
  PoolOptions,
  PoolStats,
  RequestLike,
  RunOptions,
  WorkerDefinition,
  WorkerResponse,
} from './types.js';
import { orThrow } from './worker-error.js';

interface KnownWorker {
  /** The script, where the definition was only that. */
  readonly script: string | undefined;
  readonly definition: ParsedDefinition;
  readonly target: BindingTarget;
}

const known = new Map<string, KnownWorker>();

/** Ids remembered at most; the one remembered first is forgotten first, which costs it one comparison. */
const MOST_KNOWN = 10_000;

/** Characters and bytes of their sources, at most. */
const MOST_KNOWN_LENGTH = 256 * 1024 * 1024;

let knownLength = 0;

/**
 * Runs a request on the process's default pool: the first call for an id deploys the worker, and a
 * changed definition redeploys it.
 *
 * @example
 * ```ts
 * const script = `export default { fetch: (request) => new Response('hello ' + new URL(request.url).pathname) }`;
 * const response = await executePooled('a', script, 'http://a.test/world');
 * console.log(await response.text()); // hello /world
 * ```
 *
 * @throws {WorkerError} `ERR_INVALID_ARG` for an argument that cannot be used, `ERR_WORKER_SYNTAX`
 * or `ERR_WORKER_EXCEPTION` for a worker that does not load or throws, `ERR_NO_HANDLER`,
 * `ERR_NO_RESPONSE`, `ERR_CPU_LIMIT`, `ERR_WALL_LIMIT`, `ERR_HEAP_LIMIT`, `ERR_BUFFER_LIMIT`,
 * `ERR_RESPONSE_LIMIT`, `ERR_ISOLATE_CRASHED`, `ERR_POOL_FULL`; or the reason of an aborted signal.
 */
export function executePooled(
  id: string,
  worker: string | WorkerDefinition,
  request: RequestLike,
  options?: RunOptions,
): Promise<WorkerResponse> {
  let target: BindingTarget;
  try {
    target = targetFor(id, worker);
  } catch (error) {
    return Promise.reject(error);
  }
  return dispatchFetch({ target }, request, options);
}

function targetFor(id: string, worker: string | WorkerDefinition): BindingTarget {
  const last = known.get(id);
  if (last !== undefined && typeof worker === 'string' && last.script === worker) return last.target;
  checkName(id, 'id');
  const definition = parseDefinition(worker);
  if (last !== undefined && sameDefinition(last.definition, definition)) return last.target;
  const target = orThrow(BindingPool.defaultTarget(connection, id, toBinding(definition)));
  remember(id, { script: typeof worker === 'string' ? worker : undefined, definition, target });
  return target;
}

function remember(id: string, worker: KnownWorker): void {
  forget(id);
  known.set(id, worker);
  knownLength += sourceLength(worker.definition);
  for (const oldest of known.keys()) {
    if (known.size <= MOST_KNOWN && knownLength <= MOST_KNOWN_LENGTH) return;
    forget(oldest);
  }
}

function forget(id: string): void {
  const worker = known.get(id);
  if (worker === undefined) return;
  known.delete(id);
  knownLength -= sourceLength(worker.definition);
}

/**
 * Configures the default pool; once, before its first use.
 *
 * @throws {WorkerError} `ERR_POOL_INITIALIZED` if it is in use already, `ERR_INVALID_ARG`.
 */
export function initPool(options: PoolOptions = {}): void {
  orThrow(BindingPool.initDefault(connection, parsePoolOptions(options)));
}

/** The counters of the default pool. */
export function getPoolStats(): PoolStats {
  return BindingPool.defaultStats();
}
