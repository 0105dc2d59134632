// Owns what came out of a run, in the words of the expectation files and the report.

import type { Results, Subtest } from './compose.js';

/** How the test as a whole ended: what is not 'ok' is the harness's or the host's word, not a subtest's. */
export type RunStatus = 'ok' | 'error' | 'timeout' | 'crash';

/** One run of one test. */
export interface Outcome {
  readonly status: RunStatus;
  readonly message: string;
  readonly subtests: readonly Subtest[];
}

const HARNESS: readonly RunStatus[] = ['ok', 'error', 'timeout', 'error'];
const SUBTEST = ['PASS', 'FAIL', 'TIMEOUT', 'NOTRUN', 'PRECONDITION_FAILED'];

export function fromResults(results: Results): Outcome {
  const status = HARNESS[results.status] ?? 'error';
  return { status, message: results.message ?? '', subtests: results.subtests };
}

/** A run that gave no results. */
export function withoutResults(status: Exclude<RunStatus, 'ok'>, message: string): Outcome {
  return { status, message, subtests: [] };
}

export function passed(subtest: Subtest): boolean {
  return subtest.status === 0;
}

/** Why a subtest failed, for people. */
export function explain(subtest: Subtest): string {
  return `${SUBTEST[subtest.status] ?? subtest.status} ${subtest.name}: ${subtest.message ?? ''}`;
}
