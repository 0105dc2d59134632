// Owns the options of calls and pools: checked, and in the form that the binding takes.

import type { BindingLimits, BindingPoolOptions, BindingRunOptions } from '#binding';
import { checkAmount, checkCount, checkFunction, checkOptions, checkPositive } from './check.js';
import { registerFunction } from './functions.js';
import type { Limits, LogHandler, PoolOptions, RunOptions } from './types.js';
import { invalidArgument } from './worker-error.js';

const MILLISECONDS = ' (milliseconds)';
const MEBIBYTES = ' (MiB)';

const LIMIT_CHECKS: Record<keyof Limits, (value: unknown, argument: string) => number> = {
  cpuMs: (value, argument) => checkAmount(value, argument, MILLISECONDS),
  wallMs: (value, argument) => checkAmount(value, argument, MILLISECONDS),
  heapMb: (value, argument) => checkPositive(value, argument, MEBIBYTES),
  bufferMb: (value, argument) => checkAmount(value, argument, MEBIBYTES),
  subrequests: (value, argument) => checkCount(value, argument, 0),
  concurrentSubrequests: (value, argument) => checkCount(value, argument, 0),
  responseMb: (value, argument) => checkAmount(value, argument, MEBIBYTES),
};
const LIMIT_NAMES = Object.keys(LIMIT_CHECKS) as Array<keyof Limits>;

/** Limits as the binding takes them: only those that were given. */
export function parseLimits(limits: Limits, argument: string): BindingLimits {
  checkOptions(limits, argument, LIMIT_NAMES);
  const parsed: BindingLimits = {};
  for (const name of LIMIT_NAMES) {
    const value = limits[name];
    if (value !== undefined) parsed[name] = LIMIT_CHECKS[name](value, `${argument}.${name}`);
  }
  return parsed;
}

/** The number under which the binding calls a log handler. */
export function parseLogHandler(handler: LogHandler, argument: string): number {
  checkFunction(handler, argument);
  return registerFunction(handler);
}

const POOL_KEYS: ReadonlyArray<keyof PoolOptions> = [
  'maxIsolates',
  'maxIsolatesPerWorker',
  'maxMemoryMb',
  'threads',
  'maxQueue',
  'limits',
  'onLog',
  'graceMs',
  'isolation',
  'processMemoryMb',
];

/** What a child process runs: this Node, without threads for scripts of its own. */
function childProgram(): string[] {
  return [process.execPath, '--v8-pool-size=0', require.resolve('#isolate-process')];
}

export function parsePoolOptions(options: PoolOptions): BindingPoolOptions {
  checkOptions(options, 'options', POOL_KEYS);
  const { maxIsolates, maxIsolatesPerWorker, maxMemoryMb, threads, maxQueue, graceMs } = options;
  const parsed: BindingPoolOptions = {};
  const { isolation, processMemoryMb } = options;
  if (isolation === 'process') parsed.child = childProgram();
  else if (isolation !== undefined && isolation !== 'in-process') {
    throw invalidArgument('options.isolation', `'in-process' or 'process'`, isolation);
  }
  if (processMemoryMb !== undefined) {
    parsed.processMemoryMb = checkPositive(processMemoryMb, 'options.processMemoryMb', MEBIBYTES);
  }
  if (maxIsolates !== undefined) parsed.maxIsolates = checkCount(maxIsolates, 'options.maxIsolates', 1);
  if (maxIsolatesPerWorker !== undefined) {
    parsed.maxIsolatesPerWorker = checkCount(maxIsolatesPerWorker, 'options.maxIsolatesPerWorker', 1);
  }
  if (maxMemoryMb !== undefined) {
    parsed.maxMemoryMb = checkPositive(maxMemoryMb, 'options.maxMemoryMb', MEBIBYTES);
  }
  if (threads !== undefined) parsed.threads = checkCount(threads, 'options.threads', 1);
  if (maxQueue !== undefined) parsed.maxQueue = checkCount(maxQueue, 'options.maxQueue', 0);
  if (graceMs !== undefined) parsed.graceMs = checkAmount(graceMs, 'options.graceMs', MILLISECONDS);
  if (options.limits !== undefined) parsed.limits = parseLimits(options.limits, 'options.limits');
  // Last, so that a rejected call leaves no handler behind.
  if (options.onLog !== undefined) parsed.log = parseLogHandler(options.onLog, 'options.onLog');
  return parsed;
}

/** The options of a call: its signal stays here, the rest goes to the binding. */
export interface ParsedRunOptions {
  readonly signal: AbortSignal | undefined;
  readonly native: BindingRunOptions;
}

const RUN_KEYS: ReadonlyArray<keyof RunOptions> = ['signal', 'limits', 'onLog'];

export function parseRunOptions(options: RunOptions, extraKeys: readonly string[] = []): ParsedRunOptions {
  checkOptions(options, 'options', extraKeys.length === 0 ? RUN_KEYS : [...RUN_KEYS, ...extraKeys]);
  const { signal } = options;
  const native: BindingRunOptions = {};
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw invalidArgument('options.signal', 'an AbortSignal', signal);
  }
  if (options.limits !== undefined) native.limits = parseLimits(options.limits, 'options.limits');
  if (options.onLog !== undefined) checkFunction(options.onLog, 'options.onLog');
  return { signal, native };
}

function isAbortSignal(value: unknown): value is AbortSignal {
  return (
    value instanceof AbortSignal ||
    (value as { [Symbol.toStringTag]?: unknown } | null)?.[Symbol.toStringTag] === 'AbortSignal'
  );
}
