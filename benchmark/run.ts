// Measures isolane from Node: time of each request, and requests a second. Writes one line of JSON for
// each case to standard output and, at the end, a table to standard error.
//
//   npm run bench                   all cases
//   npm run bench -- warm           those whose name has "warm"

import { cpus } from 'node:os';
import { CASES, type Case } from './cases.js';
import { microseconds, quantile, table } from './report.js';

interface Result {
  readonly case: string;
  readonly callers: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Samples kept at most: enough for a p99, and little memory. */
const MOST_SAMPLES = 200_000;

async function measure({ name, callers, milliseconds, setUp }: Case): Promise<Result> {
  const { once, tearDown } = await setUp();
  await callFor(once, callers, milliseconds / 4);
  const { times, requests, elapsed } = await callFor(once, callers, milliseconds);
  await tearDown();
  return {
    case: name,
    callers,
    requests,
    requestsPerSecond: Math.round((requests / elapsed) * 1000),
    p50Us: round(quantile(times, 0.5)),
    p99Us: round(quantile(times, 0.99)),
  };
}

interface Calls {
  readonly times: number[];
  readonly requests: number;
  readonly elapsed: number;
}

async function callFor(
  once: (n: number) => Promise<unknown>,
  callers: number,
  milliseconds: number,
): Promise<Calls> {
  const times: number[] = [];
  let requests = 0;
  const began = performance.now();
  const end = began + milliseconds;
  const caller = async (): Promise<void> => {
    for (let now = performance.now(); now < end; ) {
      requests += 1;
      await once(requests);
      const after = performance.now();
      if (times.length < MOST_SAMPLES) times.push((after - now) * 1000);
      now = after;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { times, requests, elapsed: performance.now() - began };
}

function round(time: number): number {
  return Math.round(time * 100) / 100;
}

async function main(): Promise<void> {
  const wanted = process.argv[2] ?? '';
  const machine = `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
  const rows = [['case', 'callers', 'requests/s', 'p50', 'p99']];
  for (const one of CASES.filter(({ name }) => name.includes(wanted))) {
    const result = await measure(one);
    console.log(JSON.stringify({ ...result, machine }));
    const { callers, requestsPerSecond, p50Us, p99Us } = result;
    rows.push([
      one.name,
      String(callers),
      requestsPerSecond.toLocaleString('en'),
      microseconds(p50Us),
      microseconds(p99Us),
    ]);
  }
  console.error(`\n${machine}\n\n${table(rows)}\n`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
