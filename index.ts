// The public surface of isolane: what is exported here, and nothing else.

export { executePooled, getPoolStats, initPool } from './lib/default-pool.js';
export { IsolatePool } from './lib/isolate-pool.js';
export { type EvaluateOptions, Runtime, type RuntimeOptions } from './lib/runtime.js';
export { ExecutionContext, SharedIsolate, type SharedIsolateOptions } from './lib/shared-isolate.js';
export type {
  BodyLike,
  EnvValue,
  HeadersLike,
  HeapStatistics,
  HostFunction,
  Json,
  Limits,
  LogEntry,
  LogHandler,
  OutboundHandler,
  PoolOptions,
  PoolStats,
  RequestInitLike,
  RequestLike,
  RunOptions,
  RunUsage,
  ScheduledEventInit,
  WorkerDefinition,
  WorkerResponse,
} from './lib/types.js';
export { Worker, type WorkerOptions } from './lib/worker.js';
export { type GuestException, WorkerError, type WorkerErrorCode } from './lib/worker-error.js';
