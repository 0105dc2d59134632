// Owns the child processes that run the tests: hands out orders, notices a child that died or does not answer,
// and starts another one in its place.

import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import type { Order } from './child.js';
import type { WptTest } from './folder.js';
import { type Outcome, withoutResults } from './outcome.js';

export interface CrewOptions {
  readonly folder: string;
  readonly origin: string;
  readonly size: number;
  readonly onOutcome: (test: WptTest, outcome: Outcome) => void;
}

/** What a test may take, and one that says it is long: as in browsers, with room for a busy machine. */
const NORMAL_MS = 20_000;
const LONG_MS = 120_000;
/** How long a child may be silent after its guest must have ended. */
const SILENCE_MS = 30_000;

/** Runs all tests, several at once, and says how each ended. */
export async function runAll(tests: readonly WptTest[], options: CrewOptions): Promise<void> {
  // The long ones first, so that they do not end alone.
  const queue = [...tests].sort((a, b) => Number(b.long) - Number(a.long));
  const members = Array.from({ length: Math.min(options.size, queue.length) }, () => work(queue, options));
  await Promise.all(members);
}

async function work(queue: WptTest[], options: CrewOptions): Promise<void> {
  let child: ChildProcess | undefined;
  for (let test = queue.shift(); test !== undefined; test = queue.shift()) {
    if (child === undefined || isGone(child)) child = start();
    options.onOutcome(test, await order(child, test, options));
  }
  if (child?.connected === true) child.disconnect();
}

function isGone(child: ChildProcess): boolean {
  return !child.connected || child.exitCode !== null || child.signalCode !== null;
}

function start(): ChildProcess {
  return fork(path.join(__dirname, 'child.ts'), { execArgv: ['--import', 'tsx'] });
}

function order(child: ChildProcess, test: WptTest, { folder, origin }: CrewOptions): Promise<Outcome> {
  const timeoutMs = test.long ? LONG_MS : NORMAL_MS;
  return new Promise((resolve) => {
    const end = (outcome: Outcome) => {
      clearTimeout(timer);
      child.off('message', end).off('exit', died);
      resolve(outcome);
    };
    const died = (code: number | null, signal: NodeJS.Signals | null) => {
      end(withoutResults('crash', `the process ended with ${signal ?? `exit code ${code}`}`));
    };
    const timer = setTimeout(() => {
      child.off('message', end).off('exit', died);
      child.once('exit', () => resolve(withoutResults('timeout', 'the process did not answer')));
      child.kill('SIGKILL');
    }, timeoutMs + SILENCE_MS);
    child.on('message', end).on('exit', died);
    // What cannot be sent any more went to a child that is about to say that it has ended.
    child.send({ test, folder, origin, timeoutMs } satisfies Order, () => {});
  });
}
