// A process that runs tests, one at a time, each in an isolate of its own. A test that brings the process down
// costs this one and not the command's.

import { Runtime, WorkerError } from 'isolane';
import { composeScript, type Results } from './compose.js';
import type { WptTest } from './folder.js';
import { fromResults, type Outcome, withoutResults } from './outcome.js';

/** What the command asks of a child: one test. */
export interface Order {
  readonly test: WptTest;
  readonly folder: string;
  readonly origin: string;
  /** What the test may take by the clock before it is told that time is over. */
  readonly timeoutMs: number;
}

/** How long a test that was told so may still take. */
const LAST_WORDS_MS = 5_000;
const LIMITS = {
  cpuMs: 120_000,
  heapMb: 1024,
  bufferMb: 2048,
  responseMb: 1024,
  subrequests: 100_000,
};
const TIME_CODES: readonly string[] = ['ERR_CPU_LIMIT', 'ERR_WALL_LIMIT', 'ERR_NO_RESPONSE'];

process.on('message', (order: Order) => {
  void run(order).then((outcome) => process.send?.(outcome));
});

async function run({ test, folder, origin, timeoutMs }: Order): Promise<Outcome> {
  const limits = { ...LIMITS, wallMs: timeoutMs + LAST_WORDS_MS };
  // The harness itself uses `eval`.
  const runtime = new Runtime({ limits, outbound: 'any', codegen: true });
  try {
    const script = composeScript(test, { folder, origin, timeoutMs });
    const results = await runtime.evaluate<string>(script, { filename: test.file });
    return fromResults(JSON.parse(results) as Results);
  } catch (error) {
    if (!(error instanceof WorkerError)) return withoutResults('error', String(error));
    const { code, message, guest } = error;
    const stack = guest === undefined ? '' : `\n${guest.stack}`;
    return withoutResults(TIME_CODES.includes(code) ? 'timeout' : 'error', `${code}: ${message}${stack}`);
  } finally {
    await runtime.close();
  }
}
