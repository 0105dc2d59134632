// Owns how isolated-vm is driven: an isolate and a context for each tenant, with the shim.

import { availableParallelism } from 'node:os';
import ivm from 'isolated-vm';
import type { Peer, Tenant } from '../peer.js';
import { TIMER_MS, type WorkerSource } from '../worker-source.js';
import { bodyOf, NO_STREAMS, SHIM_ARGUMENTS, shimmed } from './shim.js';

export type Way = 'asynchronous' | 'synchronous';

/** In MiB, as much as Isolane allows by default. */
const MEMORY_LIMIT = 128;

const TIMERS = `
  globalThis.setTimeout = (callback, delayMs) => {
    wait.apply(undefined, [delayMs], { result: { promise: true } }).then(callback);
  };
`;

export async function openIsolatedVm(way: Way): Promise<Peer> {
  const shared = new ivm.Isolate({ memoryLimit: MEMORY_LIMIT });
  const start = async (source: WorkerSource): Promise<Tenant> => {
    const isolate = new ivm.Isolate({ memoryLimit: MEMORY_LIMIT });
    const ask = await load(isolate, await isolate.createContext(), source);
    return { answer: answerBy(way, ask), close: () => isolate.dispose() };
  };
  return {
    cannot: way === 'synchronous' ? { ...NO_STREAMS, ...NOT_SYNCHRONOUS } : NO_STREAMS,
    start,
    renew: async (source) => {
      const context = await shared.createContext();
      const ask = await load(shared, context, source);
      const close = () => {
        ask.release();
        context.release();
      };
      return { answer: answerBy(way, ask), close };
    },
    serve: async (source, callers) => {
      const isolates = way === 'synchronous' ? 1 : Math.min(callers, availableParallelism());
      const tenants = await Promise.all(Array.from({ length: isolates }, () => start(source)));
      let turn = 0;
      const answer = (): Promise<string> => {
        turn += 1;
        return (tenants[turn % isolates] as Tenant).answer();
      };
      const close = () => {
        for (const tenant of tenants) tenant.close();
      };
      return { answer, close };
    },
    processIds: () => [process.pid],
    close: () => shared.dispose(),
  };
}

const NOT_SYNCHRONOUS = {
  cold: 'made as in isolated-vm',
  context: 'made as in isolated-vm',
  'idle-100': 'the same isolates as in isolated-vm',
  'idle-1000': 'the same isolates as in isolated-vm',
  timer: 'a synchronous call cannot wait',
  'timer-64': 'a synchronous call cannot wait',
} as const;

async function load(
  isolate: ivm.Isolate,
  context: ivm.Context,
  source: WorkerSource,
): Promise<ivm.Reference> {
  let timers = '';
  if (source.name === 'timer') {
    const wait = (delayMs: number) => new Promise<void>((done) => setTimeout(done, delayMs ?? TIMER_MS));
    await context.global.set('wait', new ivm.Reference(wait));
    timers = TIMERS;
  }
  const script = await isolate.compileScript(timers + shimmed(source));
  await script.run(context);
  return context.global.get('ask', { reference: true });
}

function answerBy(way: Way, ask: ivm.Reference): Tenant['answer'] {
  if (way === 'synchronous') return async () => bodyOf(ask.applySync(undefined, SHIM_ARGUMENTS));
  return async () => bodyOf(await ask.apply(undefined, SHIM_ARGUMENTS, { result: { promise: true } }));
}
