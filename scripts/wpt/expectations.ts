// Owns the expectation files, one for each suite: which tests are not run, which runs and subtests fail, and
// which of these ask for what a server runtime does not have by design, each with the reason. They are read,
// compared with what came out, and rewritten.

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

/** What is expected of a suite: by file why it is not run, by test what does not apply and what fails. */
export interface Expectations {
  skip: Record<string, string>;
  inapplicable: Record<string, ExpectedFailure[]>;
  fail: Record<string, ExpectedFailure[]>;
}

/** What is expected of one test. */
export interface Expected {
  /** What fails because it does not apply; it is not counted. */
  readonly inapplicable: readonly ExpectedFailure[];
  readonly fail: readonly ExpectedFailure[];
}

const FOLDER = path.resolve(__dirname, '../../__test__/wpt');

/** What is expected of every suite that has a file. */
export function readExpectations(): Map<string, Expectations> {
  const suites = new Map<string, Expectations>();
  if (!existsSync(FOLDER)) return suites;
  for (const file of readdirSync(FOLDER)) {
    if (!file.endsWith('.json')) continue;
    const text = readFileSync(path.join(FOLDER, file), 'utf8');
    const expectations = JSON.parse(text) as Partial<Expectations>;
    suites.set(path.basename(file, '.json'), { ...expectNothing(), ...expectations });
  }
  return suites;
}

/** What is expected of a suite in which nothing fails. */
export function expectNothing(): Expectations {
  return { skip: {}, inapplicable: {}, fail: {} };
}

/** What is expected of the test with that name. */
export function expectedOf({ inapplicable, fail }: Expectations, name: string): Expected {
  return { inapplicable: inapplicable[name] ?? [], fail: fail[name] ?? [] };
}

/** Puts what is expected of a test into its suite's lists. */
export function setExpected(expectations: Expectations, name: string, expected: Expected): void {
  for (const list of ['inapplicable', 'fail'] as const) {
    if (expected[list].length === 0) delete expectations[list][name];
    else expectations[list][name] = [...expected[list]];
  }
}

/** Writes a suite's file, or removes it where nothing is expected to fail. */
export function writeExpectations(suite: string, expectations: Expectations): void {
  const file = path.join(FOLDER, `${suite}.json`);
  const skip = sorted(expectations.skip);
  const inapplicable = sorted(expectations.inapplicable);
  const fail = sorted(expectations.fail);
  const listed = [skip, inapplicable, fail].flatMap((list) => Object.keys(list));
  if (listed.length === 0) rmSync(file, { force: true });
  else {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(file, `${JSON.stringify({ skip, inapplicable, fail }, null, 2)}\n`);
  }
}

function sorted<T>(entries: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** All that differs between what is expected of a test and what came out, a line each. */
export function compare({ inapplicable, fail }: Expected, outcome: Outcome): string[] {
  const problems: string[] = [];
  const expected = [...inapplicable, ...fail];
  const run = runOf(expected);
  if (outcome.status !== run) {
    problems.push(`the run ended with '${outcome.status}', expected '${run}': ${outcome.message}`);
  }
  const listed = subtestsOf(expected);
  const seen = new Set<string>();
  for (const subtest of outcome.subtests) {
    seen.add(subtest.name);
    if (passed(subtest) && listed.has(subtest.name)) problems.push(`unexpected pass: ${subtest.name}`);
    if (!passed(subtest) && !listed.has(subtest.name)) {
      problems.push(`unexpected failure: ${subtest.name}: ${subtest.message ?? ''}`);
    }
  }
  for (const name of listed) if (!seen.has(name)) problems.push(`listed, but no such subtest: ${name}`);
  for (const name of subtestsOf(fail)) {
    if (subtestsOf(inapplicable).has(name)) problems.push(`listed as both: ${name}`);
  }
  for (const { reason } of expected) if (reason === '') problems.push('a listed failure has no reason');
  return problems;
}

function runOf(expected: readonly ExpectedFailure[]): RunStatus {
  return expected.find((failure) => failure.run !== undefined)?.run ?? 'ok';
}

function subtestsOf(expected: readonly ExpectedFailure[]): Set<string> {
  return new Set(expected.flatMap((failure) => failure.subtests ?? []));
}

/** How many results there are of a kind, a run without any counting as one. */
export interface Counts {
  passed: number;
  failed: number;
  /** Failed as well, but listed as what does not apply. */
  inapplicable: number;
}

/** Counts an outcome's subtests by what is expected of the test. */
export function count({ inapplicable }: Expected, outcome: Outcome): Counts {
  const excused = subtestsOf(inapplicable);
  const counts: Counts = { passed: 0, failed: 0, inapplicable: 0 };
  for (const subtest of outcome.subtests) {
    if (passed(subtest)) counts.passed++;
    else if (excused.has(subtest.name)) counts.inapplicable++;
    else counts.failed++;
  }
  if (outcome.status === 'ok') return counts;
  const kind = runOf(inapplicable) === outcome.status ? 'inapplicable' : 'failed';
  counts[kind] = Math.max(counts[kind], 1);
  return counts;
}

/** What is to be expected after this outcome; the lists and reasons of what fails still are kept. */
export function update({ inapplicable, fail }: Expected, outcome: Outcome): Expected {
  const failing = outcome.subtests.filter((subtest) => !passed(subtest)).map(({ name }) => name);
  const rest: Unlisted = { subtests: new Set(failing) };
  if (outcome.status !== 'ok') rest.run = outcome.status;
  const updated = { inapplicable: keep(inapplicable, rest), fail: keep(fail, rest) };
  if (rest.subtests.size > 0 || rest.run !== undefined) {
    updated.fail.push(describe('', rest.run, Array.from(rest.subtests)));
  }
  return updated;
}

/** What fails and was not found in a list yet. */
interface Unlisted {
  readonly subtests: Set<string>;
  run?: RunStatus | undefined;
}

/** What of a list fails still; it is taken out of `rest`. */
function keep(expected: readonly ExpectedFailure[], rest: Unlisted): ExpectedFailure[] {
  const kept: ExpectedFailure[] = [];
  for (const failure of expected) {
    const subtests = (failure.subtests ?? []).filter((name) => rest.subtests.delete(name));
    const run = failure.run === rest.run ? rest.run : undefined;
    if (run !== undefined) rest.run = undefined;
    if (subtests.length > 0 || run !== undefined) kept.push(describe(failure.reason, run, subtests));
  }
  return kept;
}

function describe(reason: string, run: RunStatus | undefined, subtests: string[]): ExpectedFailure {
  return {
    reason,
    ...(run === undefined ? {} : { run }),
    ...(subtests.length === 0 ? {} : { subtests }),
  };
}
