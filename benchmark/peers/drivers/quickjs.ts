// Owns how QuickJS is driven: one WebAssembly module, a runtime and a context for each tenant, with the shim.

import { getQuickJS, type QuickJSContext, type QuickJSHandle, type QuickJSRuntime } from 'quickjs-emscripten';
import type { Peer, Tenant } from '../peer.js';
import type { WorkerSource } from '../worker-source.js';
import { bodyOf, NO_STREAMS, SHIM_ARGUMENTS, shimmed } from './shim.js';

export async function openQuickJs(): Promise<Peer> {
  const engine = await getQuickJS();
  let shared: QuickJSRuntime | undefined;
  const start = async (source: WorkerSource): Promise<Tenant> => {
    const runtime = engine.newRuntime();
    const tenant = load(runtime, source);
    const close = async () => {
      await tenant.close();
      runtime.dispose();
    };
    return { ...tenant, close };
  };
  return {
    cannot: NO_STREAMS,
    start,
    renew: async (source) => {
      shared ??= engine.newRuntime();
      return load(shared, source);
    },
    serve: start,
    processIds: () => [process.pid],
    close: () => shared?.dispose(),
  };
}

function load(runtime: QuickJSRuntime, source: WorkerSource): Tenant {
  const context = runtime.newContext();
  if (source.name === 'timer') addTimers(runtime, context);
  context.unwrapResult(context.evalCode(shimmed(source))).dispose();
  const ask = context.getProp(context.global, 'ask');
  const words = SHIM_ARGUMENTS.map((word) => context.newString(word));
  return {
    answer: async () => {
      const given = context.unwrapResult(context.callFunction(ask, context.undefined, ...words));
      return bodyOf(await settled(runtime, context, given));
    },
    close: () => {
      for (const handle of [ask, ...words]) handle.dispose();
      context.dispose();
    },
  };
}

/** The string that a call gave, at once or by a promise. */
async function settled(
  runtime: QuickJSRuntime,
  context: QuickJSContext,
  given: QuickJSHandle,
): Promise<string> {
  if (context.typeof(given) === 'string') return taken(context, given);
  const promise = context.resolvePromise(given);
  runtime.executePendingJobs();
  const result = context.unwrapResult(await promise);
  given.dispose();
  return taken(context, result);
}

function taken(context: QuickJSContext, handle: QuickJSHandle): string {
  const text = context.getString(handle);
  handle.dispose();
  return text;
}

function addTimers(runtime: QuickJSRuntime, context: QuickJSContext): void {
  const made = context.newFunction('setTimeout', (callback, delayMs) => {
    const kept = callback.dup();
    setTimeout(() => {
      context.unwrapResult(context.callFunction(kept, context.undefined)).dispose();
      kept.dispose();
      runtime.executePendingJobs();
    }, context.getNumber(delayMs));
  });
  context.setProp(context.global, 'setTimeout', made);
  made.dispose();
}
