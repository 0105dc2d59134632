// Owns the types of the public surface that are not classes: what callers pass and what they get.

/** A value that JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * A function of the host that guest code may call through `env`.
 *
 * Arguments and results cross by structured clone, and in the guest the function is asynchronous.
 * What it throws reaches the guest as an error with the same name and message, without a stack.
 *
 * A call's arguments may take 64 MiB (a character of a string counts for two bytes), and those that wait to be
 * answered count against the guest's `bufferMb`. A
 * request may wait for 10 000 answers of the host's at a time; calls beyond that reject in the guest.
 */
export type HostFunction = (...args: never[]) => unknown;

/** What an `env` entry may be. */
export type EnvValue = Json | HostFunction | Readonly<Record<string, HostFunction>>;

/** Answers a guest's `fetch` in the place of the network. */
export type OutboundHandler = (request: Request) => Response | Promise<Response>;

/** A worker: its code and what it is given. */
export interface WorkerDefinition {
  /** One file: an ES module with a default export, or a script that calls `addEventListener('fetch', …)`. */
  script?: string;
  /** Several files: the first key is the entry. Names end in .js, .mjs, .ts, .json, .wasm or .txt. */
  modules?: Readonly<Record<string, string | Uint8Array>>;
  /** What the worker gets as `env`: JSON values, functions, and groups of functions. */
  env?: Readonly<Record<string, EnvValue>>;
  /** Whether requests share a context, and with it module state, or each get a fresh one. @default 'reuse' */
  context?: 'reuse' | 'fresh';
  /** Limits for each request to this worker, over those of its pool. */
  limits?: Limits;
  /** Whether `eval` and `new Function` work. @default false */
  codegen?: boolean;
  /**
   * Where the guest's `fetch` may go: public addresses, nowhere, anywhere, or through a function of yours.
   * @default 'public'
   */
  outbound?: 'public' | 'none' | 'any' | OutboundHandler;
}

/**
 * What one request may use. 0 means no limit, except for `heapMb`.
 *
 * `heapMb` and `bufferMb` belong to the isolate and are fixed when it is made: by the worker or the pool,
 * not by a call, except for `Worker`, whose calls have an isolate each.
 */
export interface Limits {
  /** Time on the CPU, in milliseconds. @default 50 */
  cpuMs?: number;
  /** Time by the clock, waiting included, in milliseconds. @default 30_000 */
  wallMs?: number;
  /** The isolate's JavaScript heap, in MiB. Exceeding it costs the isolate. @default 128 */
  heapMb?: number;
  /** ArrayBuffers that are not resizable, in MiB; WebAssembly memory is not counted yet. @default 64 */
  bufferMb?: number;
  /** Calls of `fetch`. @default 50 */
  subrequests?: number;
  /** Calls of `fetch` under way at a time; more of them wait. @default 6 */
  concurrentSubrequests?: number;
  /** The response's body, in MiB. @default 100 */
  responseMb?: number;
}

/** How a pool is built. */
export interface PoolOptions {
  /**
   * Isolates kept at a time; the least recently used idle one makes room. Beside them there are up to two that were made
   * ahead for workers to come.
   *
   * Each takes about ten address ranges. For more than 6,000, Linux's `vm.max_map_count` (65,530) has to be raised.
   */
  maxIsolates?: number;
  /** Isolates that one busy worker may have. */
  maxIsolatesPerWorker?: number;
  /** Memory, as last measured, above which idle isolates are dropped, in MiB. */
  maxMemoryMb?: number;
  /** Threads that run guest code. */
  threads?: number;
  /** Requests of one worker that may wait; more are refused with ERR_POOL_FULL. */
  maxQueue?: number;
  /** Limits for each request, where the worker or the call does not say otherwise. */
  limits?: Limits;
  /** Gets what guests write with `console`. */
  onLog?: LogHandler;
  /** How long `close()` lets requests in flight go on, in milliseconds. */
  graceMs?: number;
  /**
   * Where the isolates live: in this process, or in a child process that is started again when it ends.
   *
   * With `'process'`, what V8 treats as fatal ends the requests of this pool (ERR_HEAP_LIMIT or
   * ERR_ISOLATE_CRASHED), and not this process. A request takes longer, by the way to the child and
   * back. Not available on Windows.
   * @default 'in-process'
   */
  isolation?: 'in-process' | 'process';
  /**
   * With `isolation: 'process'`: resident memory of the child, in MiB, above which it is ended and its
   * requests fail with ERR_HEAP_LIMIT. Looked at ten times a second while there are requests, on Linux.
   * @default 2048
   */
  processMemoryMb?: number;
}

/** What one call may say for itself. */
export interface RunOptions {
  /** Ends the guest's work for this request, and rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Limits for this request, over those of the worker and the pool. */
  limits?: Limits;
  /** Gets what this request writes with `console`, in the place of the pool's or worker's handler. */
  onLog?: LogHandler;
}

/** What a request's headers may be given as. */
export type HeadersLike =
  | Headers
  | ReadonlyArray<readonly [string, string]>
  | Readonly<Record<string, string>>;

/** What a request's body may be given as. */
export type BodyLike =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | FormData
  | URLSearchParams
  | ReadableStream<Uint8Array>;

/** A request in parts. */
export interface RequestInitLike {
  /** An absolute http or https URL. */
  url: string | URL;
  /** @default 'GET' */
  method?: string;
  headers?: HeadersLike;
  body?: BodyLike | null;
}

/** A request: a URL, a `Request`, or its parts. */
export type RequestLike = string | URL | Request | RequestInitLike;

/** The event of a `scheduled` handler. */
export interface ScheduledEventInit {
  /** The schedule that fired, as the guest sees it in `event.cron`. @default '' */
  cron?: string;
  /** When it was due. @default now */
  scheduledTime?: Date | number;
}

/** What one request used. */
export interface RunUsage {
  /** Time on the CPU, in milliseconds. */
  readonly cpuMs: number;
  /** Time by the clock until the response, in milliseconds. */
  readonly wallMs: number;
  /** The isolate's heap in use when it was last measured. */
  readonly heapUsedBytes: number;
  /** What had to be made for it: nothing, a context, or an isolate. */
  readonly start: 'warm' | 'context' | 'isolate';
}

/** One line that a guest wrote with `console`. */
export interface LogEntry {
  readonly level: 'debug' | 'log' | 'info' | 'warn' | 'error';
  readonly message: string;
  /** The worker's id, where it runs in a pool. */
  readonly workerId?: string;
  /** Tells requests apart within the process. */
  readonly requestId: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/**
 * Gets what guests write with `console`, before the response of the request that it belongs to.
 *
 * A message is cut at 64 KiB. Of one worker's lines, 4 MiB may wait for a handler (256 bytes are counted for
 * each beside its text), and 64 MiB of all workers'. Where they come faster than they are handled, lines are
 * dropped until the handler has caught up, and a line of the level `warn` says how many.
 */
export type LogHandler = (entry: LogEntry) => void;

/**
 * Counters of a pool. With `isolation: 'process'`, those of isolates are what the child last reported:
 * twenty times a second while it has requests, and once after.
 */
export interface PoolStats {
  /** Isolates alive. */
  readonly total: number;
  /** Isolates alive and idle. */
  readonly cached: number;
  /** Isolates that the pool may keep. */
  readonly capacity: number;
  /** Requests that found a warm isolate. */
  readonly hits: number;
  /** Requests that had to make one. */
  readonly misses: number;
  /** Isolates dropped to make room. */
  readonly evictions: number;
  /** Isolates dropped because a request broke them, as a heap limit does. */
  readonly condemned: number;
  /** Requests being served. */
  readonly inFlight: number;
  /** Requests waiting for their turn. */
  readonly queued: number;
  /** The workers that are deployed. */
  readonly workers: ReadonlyArray<{
    readonly id: string;
    readonly isolates: number;
    readonly requests: number;
    readonly heapUsedBytes: number;
  }>;
  /** Child processes that were started in the place of another. */
  readonly respawns: number;
}

/** Memory of an isolate, in bytes. */
export interface HeapStatistics {
  readonly totalHeapBytes: number;
  readonly usedHeapBytes: number;
  readonly heapLimitBytes: number;
  readonly externalBytes: number;
}

/** A response of a worker: the read side of `Response`, without the cost of building one. */
export interface WorkerResponse {
  readonly status: number;
  readonly statusText: string;
  /** Whether the status is 200 to 299. */
  readonly ok: boolean;
  readonly headers: Headers;
  /** The body as a stream of bytes, pulled from the guest as it is read; null where there is none. */
  readonly body: ReadableStream<Uint8Array> | null;
  readonly bodyUsed: boolean;
  /** What the request had used when its response was ready. */
  readonly usage: RunUsage;
  text(): Promise<string>;
  json<T = unknown>(): Promise<T>;
  bytes(): Promise<Uint8Array>;
  arrayBuffer(): Promise<ArrayBuffer>;
  blob(): Promise<Blob>;
  /** A standard `Response` that takes this one's body. */
  toResponse(): Response;
}
