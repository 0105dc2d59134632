// Owns the expectation files, one for each suite: which tests are not run, and which runs and subtests fail,
// each with the reason. They are read, compared with what came out, and rewritten.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Outcome, passed, type RunStatus } from './outcome.js';

/** Why something of a test fails. */
export interface ExpectedFailure {
  reason: string;
  /** How the whole run ends, where it is not 'ok'. */
  run?: RunStatus;
  /** The names of the subtests that fail. */
  subtests?: string[];
}

/** What is expected of a suite: by file why it is not run, by test what fails. */
export interface Expectations {
  skip: Record<string, string>;
  fail: Record<string, ExpectedFailure[]>;
}

const FOLDER = path.resolve(__dirname, '../../__test__/wpt');

/** What is expected of every suite that has a file. */
export function readExpectations(): Map<string, Expectations> {
  const suites = new Map<string, Expectations>();
  if (!existsSync(FOLDER)) return suites;
  for (const file of readdirSync(FOLDER)) {
    if (!file.endsWith('.json')) continue;
    const text = readFileSync(path.join(FOLDER, file), 'utf8');
    const { skip, fail } = JSON.parse(text) as Partial<Expectations>;
    suites.set(path.basename(file, '.json'), { skip: skip ?? {}, fail: fail ?? {} });
  }
  return suites;
}

/** Writes a suite's file, or removes it where nothing is expected to fail. */
export function writeExpectations(suite: string, expectations: Expectations): void {
  const file = path.join(FOLDER, `${suite}.json`);
  const skip = sorted(expectations.skip);
  const fail = sorted(expectations.fail);
  if (Object.keys(skip).length + Object.keys(fail).length === 0) rmSync(file, { force: true });
  else {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(file, `${JSON.stringify({ skip, fail }, null, 2)}\n`);
  }
}

function sorted<T>(entries: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** All that differs between what is expected of a test and what came out, a line each. */
export function compare(expected: readonly ExpectedFailure[], outcome: Outcome): string[] {
  const problems: string[] = [];
  const run = expected.find((failure) => failure.run !== undefined)?.run ?? 'ok';
  if (outcome.status !== run) {
    problems.push(`the run ended with '${outcome.status}', expected '${run}': ${outcome.message}`);
  }
  const listed = new Set(expected.flatMap((failure) => failure.subtests ?? []));
  const seen = new Set<string>();
  for (const subtest of outcome.subtests) {
    seen.add(subtest.name);
    if (passed(subtest) && listed.has(subtest.name)) problems.push(`unexpected pass: ${subtest.name}`);
    if (!passed(subtest) && !listed.has(subtest.name)) {
      problems.push(`unexpected failure: ${subtest.name}: ${subtest.message ?? ''}`);
    }
  }
  for (const name of listed) if (!seen.has(name)) problems.push(`listed, but no such subtest: ${name}`);
  for (const { reason } of expected) if (reason === '') problems.push('a listed failure has no reason');
  return problems;
}

/** What is to be expected after this outcome; the reasons of what fails still are kept. */
export function update(expected: readonly ExpectedFailure[], outcome: Outcome): ExpectedFailure[] {
  const failing = new Set(outcome.subtests.filter((subtest) => !passed(subtest)).map(({ name }) => name));
  let run = outcome.status === 'ok' ? undefined : outcome.status;
  const updated: ExpectedFailure[] = [];
  for (const failure of expected) {
    const subtests = (failure.subtests ?? []).filter((name) => failing.delete(name));
    const keepsRun = run !== undefined && failure.run === run;
    if (subtests.length === 0 && !keepsRun) continue;
    updated.push(describe(failure.reason, keepsRun ? run : undefined, subtests));
    if (keepsRun) run = undefined;
  }
  if (failing.size > 0 || run !== undefined) updated.push(describe('', run, Array.from(failing)));
  return updated;
}

function describe(reason: string, run: RunStatus | undefined, subtests: string[]): ExpectedFailure {
  return {
    reason,
    ...(run === undefined ? {} : { run }),
    ...(subtests.length === 0 ? {} : { subtests }),
  };
}
