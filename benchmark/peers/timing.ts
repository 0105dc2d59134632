// Owns the two ways in which requests are timed: by callers in a loop, and on tenants that are used once.

import type { Tenant } from './peer.js';

export interface Calls {
  readonly timesUs: readonly number[];
  readonly requests: number;
  readonly elapsedMs: number;
}

/** Samples kept at most: enough for a p99, and little memory. */
const MOST_SAMPLES = 200_000;

/** So many callers at a time, each waiting for its answer before it asks again. */
export async function callFor(
  once: () => Promise<unknown>,
  callers: number,
  milliseconds: number,
): Promise<Calls> {
  const timesUs: number[] = [];
  let requests = 0;
  const began = performance.now();
  const end = began + milliseconds;
  const caller = async (): Promise<void> => {
    for (let now = performance.now(); now < end; ) {
      await once();
      requests += 1;
      const after = performance.now();
      if (timesUs.length < MOST_SAMPLES) timesUs.push((after - now) * 1000);
      now = after;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { timesUs, requests, elapsedMs: performance.now() - began };
}

export interface Once {
  readonly make: (n: number) => Promise<Tenant>;
  readonly use: (tenant: Tenant) => Promise<void>;
  /** How many, at most and at least three. */
  readonly tenants: number;
  /** How long, where that comes first. */
  readonly milliseconds: number;
}

/** Makes tenants one after the other and uses each once. Closing them is not timed; the first one is not counted. */
export async function eachOnce({ make, use, tenants, milliseconds }: Once): Promise<Calls> {
  const timesUs: number[] = [];
  const end = performance.now() + milliseconds;
  for (let n = 0; n <= tenants && (n <= 3 || performance.now() < end); n += 1) {
    const began = performance.now();
    const tenant = await make(n);
    await use(tenant);
    if (n > 0) timesUs.push((performance.now() - began) * 1000);
    await tenant.close();
  }
  const elapsedMs = timesUs.reduce((sum, time) => sum + time, 0) / 1000;
  return { timesUs, requests: timesUs.length, elapsedMs };
}
