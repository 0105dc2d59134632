// Owns the reading of worker definitions: checked, copied, and comparable, so that a pool notices
// when what it is given under an id has changed.

import type { BindingDefinitionOptions, BindingEnvEntry, BindingModule } from '#binding';
import { checkBoolean, checkFunction, checkOptions, isPlainObject } from './check.js';
import { registerFunction } from './functions.js';
import { checkJson } from './json.js';
import { parseLimits } from './options.js';
import { bindingOutbound, type ParsedOutbound, parseOutbound } from './outbound-option.js';
import type { HostFunction, WorkerDefinition } from './types.js';
import { invalidArgument } from './worker-error.js';

/** An entry of `env`: JSON text, a function, or functions by name. */
type EnvEntry = string | HostFunction | ReadonlyMap<string, HostFunction>;

/** A definition that was checked and copied: later changes to what was given do not reach it. */
export interface ParsedDefinition {
  readonly modules: ReadonlyMap<string, string | Uint8Array>;
  readonly env: ReadonlyMap<string, EnvEntry>;
  readonly fresh: boolean;
  readonly codegen: boolean;
  readonly limits: BindingDefinitionOptions['limits'] | undefined;
  readonly outbound: ParsedOutbound;
}

const KEYS: ReadonlyArray<keyof WorkerDefinition> = [
  'script',
  'modules',
  'env',
  'context',
  'limits',
  'codegen',
  'outbound',
];
const SCRIPT_NAME = 'worker.js';
const NO_ENV: ReadonlyMap<string, EnvEntry> = new Map();

export function parseDefinition(worker: string | WorkerDefinition): ParsedDefinition {
  if (typeof worker === 'string') {
    const modules = new Map([[SCRIPT_NAME, worker]]);
    return { modules, env: NO_ENV, fresh: false, codegen: false, limits: undefined, outbound: 'public' };
  }
  if (typeof worker !== 'object' || worker === null) {
    throw invalidArgument('worker', 'a script or a worker definition', worker);
  }
  checkOptions(worker, 'worker', KEYS);
  const { context, codegen } = worker;
  if (context !== undefined && context !== 'reuse' && context !== 'fresh') {
    throw invalidArgument('worker.context', `'reuse' or 'fresh'`, context);
  }
  return {
    modules: parseModules(worker),
    env: worker.env === undefined ? NO_ENV : parseEnv(worker.env),
    fresh: context === 'fresh',
    codegen: codegen === undefined ? false : checkBoolean(codegen, 'worker.codegen'),
    limits: worker.limits === undefined ? undefined : parseLimits(worker.limits, 'worker.limits'),
    outbound: parseOutbound(worker.outbound, 'worker.outbound'),
  };
}

const MODULE_NAME = /^[^\0\n]+\.(js|mjs|ts|json|wasm|txt)$/;
const ENTRY_NAME = /\.(js|mjs|ts)$/;

function parseModules(worker: WorkerDefinition): Map<string, string | Uint8Array> {
  const { script, modules } = worker;
  if (script !== undefined) {
    if (modules !== undefined) throw invalidArgument('worker', 'either script or modules', 'both');
    if (typeof script !== 'string') throw invalidArgument('worker.script', 'a string', script);
    return new Map([[SCRIPT_NAME, script]]);
  }
  if (modules === undefined) throw invalidArgument('worker', 'either script or modules', 'neither');
  if (!isPlainObject(modules))
    throw invalidArgument('worker.modules', 'an object of sources by name', modules);
  const parsed = new Map<string, string | Uint8Array>();
  for (const [name, source] of Object.entries(modules)) {
    if (!MODULE_NAME.test(name)) {
      throw invalidArgument('worker.modules', 'names that end in .js, .mjs, .ts, .json, .wasm or .txt', name);
    }
    if (parsed.size === 0 && !ENTRY_NAME.test(name)) {
      throw invalidArgument(
        'worker.modules',
        'a first module, the entry, that ends in .js, .mjs or .ts',
        name,
      );
    }
    parsed.set(name, parseSource(name, source));
  }
  if (parsed.size === 0) throw invalidArgument('worker.modules', 'at least one module', 'none');
  return parsed;
}

function parseSource(name: string, source: unknown): string | Uint8Array {
  const argument = `worker.modules[${JSON.stringify(name)}]`;
  if (source instanceof Uint8Array) return source.slice();
  if (typeof source !== 'string') throw invalidArgument(argument, 'a string or a Uint8Array', source);
  if (name.endsWith('.wasm'))
    throw invalidArgument(argument, 'a Uint8Array, as for every .wasm module', source);
  return source;
}

function parseEnv(env: unknown): Map<string, EnvEntry> {
  if (!isPlainObject(env)) throw invalidArgument('worker.env', 'an object', env);
  const parsed = new Map<string, EnvEntry>();
  for (const [name, value] of Object.entries(env))
    parsed.set(name, parseEnvValue(value, `worker.env.${name}`));
  return parsed;
}

function parseEnvValue(value: unknown, argument: string): EnvEntry {
  if (typeof value === 'function') return value as HostFunction;
  if (isPlainObject(value) && Object.values(value).some((member) => typeof member === 'function')) {
    for (const [name, member] of Object.entries(value)) checkFunction(member, `${argument}.${name}`);
    return new Map(Object.entries(value as Record<string, HostFunction>));
  }
  checkJson(value, argument);
  return JSON.stringify(value);
}

/** How long the sources are together, in characters or bytes. */
export function sourceLength(definition: ParsedDefinition): number {
  let length = 0;
  for (const source of definition.modules.values()) length += source.length;
  return length;
}

/** Whether two definitions would run the same; functions are compared by identity. */
export function sameDefinition(a: ParsedDefinition, b: ParsedDefinition): boolean {
  return (
    a.fresh === b.fresh &&
    a.codegen === b.codegen &&
    a.outbound === b.outbound &&
    JSON.stringify(a.limits) === JSON.stringify(b.limits) &&
    sameEntries(a.modules, b.modules, sameSource) &&
    sameEntries(a.env, b.env, sameEnvEntry)
  );
}

function sameEntries<V>(
  a: ReadonlyMap<string, V>,
  b: ReadonlyMap<string, V>,
  same: (x: V, y: V) => boolean,
): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  const others = b.entries();
  for (const [name, value] of a) {
    const other = others.next().value as [string, V];
    if (other[0] !== name || !same(value, other[1])) return false;
  }
  return true;
}

function sameSource(a: string | Uint8Array, b: string | Uint8Array): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return Buffer.compare(a, b) === 0;
}

function sameEnvEntry(a: EnvEntry, b: EnvEntry): boolean {
  if (!(a instanceof Map) || !(b instanceof Map)) return a === b;
  return sameEntries<HostFunction>(a, b, Object.is);
}

/** A definition as native code takes it. Its functions are registered: native code releases them. */
export function toBinding(definition: ParsedDefinition): BindingDefinitionOptions {
  return {
    modules: Array.from(definition.modules, toBindingModule),
    env: Array.from(definition.env, toBindingEnv),
    fresh: definition.fresh,
    codegen: definition.codegen,
    ...(definition.limits === undefined ? {} : { limits: definition.limits }),
    ...bindingOutbound(definition.outbound),
  };
}

function toBindingModule([name, source]: [string, string | Uint8Array]): BindingModule {
  return typeof source === 'string' ? { name, text: source } : { name, bytes: source };
}

function toBindingEnv([name, value]: [string, EnvEntry]): BindingEnvEntry {
  if (typeof value === 'string') return { name, json: value };
  if (typeof value === 'function') return { name, function: registerFunction(value) };
  return {
    name,
    functions: Array.from(value, ([member, fn]) => ({ name: member, function: registerFunction(fn) })),
  };
}
