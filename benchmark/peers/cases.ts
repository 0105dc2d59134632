// Owns the cases: which worker each one runs, what it does with a peer, and the figures that it gives.

import { setTimeout as later } from 'node:timers/promises';
import { quantile } from '../report.js';
import { residentBytes } from './memory.js';
import type { Peer, Tenant } from './peer.js';
import { type Calls, callFor, eachOnce } from './timing.js';
import { ANSWERS, countBytes, STREAM_BYTES, uploadBody, type WorkerName } from './worker-source.js';

export type CaseName =
  | 'cold'
  | 'context'
  | 'warm'
  | 'rate-1'
  | 'rate-8'
  | 'rate-64'
  | 'rate-512'
  | 'idle-100'
  | 'idle-1000'
  | 'cpu'
  | 'timer'
  | 'timer-64'
  | 'download'
  | 'upload';

export type FigureName = 'p50Us' | 'p99Us' | 'requestsPerSecond' | 'bytesPerTenant';

export type Figures = Partial<Record<FigureName, number>>;

/** How much of each case is done. */
export interface Effort {
  readonly milliseconds: number;
  /** Tenants started or renewed at most. */
  readonly tenants: number;
  /** What the number of idle tenants is divided by. */
  readonly idleDivisor: number;
}

export const FULL: Effort = { milliseconds: 2000, tenants: 200, idleDivisor: 1 };
export const SMOKE: Effort = { milliseconds: 60, tenants: 3, idleDivisor: 50 };

export interface Case {
  readonly title: string;
  readonly figures: readonly FigureName[];
  readonly run: (peer: Peer, effort: Effort) => Promise<Figures>;
}

export const CASES: Readonly<Record<CaseName, Case>> = {
  cold: {
    title: 'cold start: a new tenant to its first answer',
    figures: ['p50Us'],
    run: async (peer, effort) =>
      times(
        await eachOnce({
          make: (tenant) => peer.start({ name: 'hello', tenant }),
          use: (tenant) => checkedAnswer(tenant, 'hello'),
          ...effort,
        }),
      ),
  },
  context: {
    title: 'a new context to its first answer',
    figures: ['p50Us'],
    run: async (peer, effort) => {
      const { renew } = peer;
      if (renew === undefined) throw new Error('a peer without contexts has to say so');
      const make = () => renew({ name: 'hello' });
      return times(await eachOnce({ make, use: (tenant) => checkedAnswer(tenant, 'hello'), ...effort }));
    },
  },
  warm: { ...called('a warm request', 'hello', 1), figures: ['p50Us', 'p99Us'] },
  'rate-1': called('warm requests by 1 caller', 'hello', 1),
  'rate-8': called('warm requests by 8 callers', 'hello', 8),
  'rate-64': called('warm requests by 64 callers', 'hello', 64),
  'rate-512': called('warm requests by 512 callers', 'hello', 512),
  'idle-100': idle(100),
  'idle-1000': idle(1000),
  cpu: { ...called('a request that computes', 'cpu', 1), figures: ['p50Us'] },
  timer: { ...called('a request that awaits a timer of 5 ms', 'timer', 1), figures: ['p50Us'] },
  'timer-64': called('requests that await it by 64 callers', 'timer', 64),
  download: { ...called('1 MiB streamed from the worker', 'download', 1), figures: ['p50Us'] },
  upload: { ...called('1 MiB streamed to the worker', 'upload', 1), figures: ['p50Us'] },
};

export const CASE_NAMES = Object.keys(CASES) as CaseName[];

/** So many callers, each of which sends its next request when it has read the last one's answer. */
function called(title: string, name: WorkerName, callers: number): Case {
  return {
    title,
    figures: ['requestsPerSecond'],
    run: async (peer, effort) => {
      const tenant = await peer.serve({ name }, callers);
      await checked(tenant, name);
      const once = unchecked(tenant, name);
      await callFor(once, callers, effort.milliseconds / 4);
      const calls = await callFor(once, callers, effort.milliseconds);
      await checked(tenant, name);
      await tenant.close();
      return times(calls);
    },
  };
}

/** How long tenants have had nothing to do before their memory is measured. */
const REST_MS = 3000;

/** Tenants that have answered once and are kept. The first one's memory is the host's own, and is left out. */
function idle(count: number): Case {
  return {
    title: `${count.toLocaleString('en')} idle tenants, memory each`,
    figures: ['bytesPerTenant'],
    run: async (peer, { idleDivisor }) => {
      const started = Math.ceil(count / idleDivisor);
      const kept: Tenant[] = [];
      const add = async (tenant: number) => {
        const one = await peer.start({ name: 'hello', tenant });
        await checkedAnswer(one, 'hello');
        kept.push(one);
      };
      await add(0);
      const before = await residentBytes(peer.processIds());
      for (let n = 1; n <= started; n += 1) await add(n);
      await later(REST_MS);
      const after = await residentBytes(peer.processIds());
      await Promise.all(kept.map((one) => one.close()));
      return { bytesPerTenant: (after - before) / started };
    },
  };
}

function times({ timesUs, requests, elapsedMs }: Calls): Figures {
  return {
    p50Us: quantile(timesUs, 0.5),
    p99Us: quantile(timesUs, 0.99),
    requestsPerSecond: (requests / elapsedMs) * 1000,
  };
}

function unchecked(tenant: Tenant, name: WorkerName): () => Promise<unknown> {
  if (name === 'upload') return () => tenant.answer(uploadBody());
  if (name !== 'download') return () => tenant.answer();
  return () => download(tenant);
}

async function download(tenant: Tenant): Promise<number> {
  if (tenant.download === undefined) throw new Error('a peer without streams has to say so');
  return countBytes(await tenant.download());
}

async function checked(tenant: Tenant, name: WorkerName): Promise<void> {
  if (name !== 'download') return checkedAnswer(tenant, name);
  const bytes = await download(tenant);
  if (bytes !== STREAM_BYTES) throw new Error(`a download was of ${bytes} bytes`);
}

async function checkedAnswer(tenant: Tenant, name: Exclude<WorkerName, 'download'>): Promise<void> {
  const answer = await (name === 'upload' ? tenant.answer(uploadBody()) : tenant.answer());
  if (answer !== ANSWERS[name]) throw new Error(`'${name}' answered ${answer}`);
}
