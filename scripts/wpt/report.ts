// Owns the table of results by suite: on the terminal, and in the README between two marks.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { WptTest } from './folder.js';
import { type Outcome, passed } from './outcome.js';

interface Score {
  tests: number;
  passed: number;
  failed: number;
}

/** Counts outcomes by suite. */
export class Scores {
  readonly #suites = new Map<string, Score>();

  add(test: WptTest, outcome: Outcome): void {
    const score = this.#suites.get(test.suite) ?? { tests: 0, passed: 0, failed: 0 };
    const passes = outcome.subtests.filter(passed).length;
    score.tests++;
    score.passed += passes;
    // A run without results counts as one failure.
    score.failed += Math.max(outcome.subtests.length - passes, outcome.status === 'ok' ? 0 : 1);
    this.#suites.set(test.suite, score);
  }

  /** A row for each suite and one for all, beneath a head. */
  rows(): string[][] {
    const total: Score = { tests: 0, passed: 0, failed: 0 };
    const rows = [['suite', 'tests', 'passed', 'failed', '%']];
    for (const [suite, score] of Array.from(this.#suites).sort(([a], [b]) => (a < b ? -1 : 1))) {
      rows.push(row(suite, score));
      total.tests += score.tests;
      total.passed += score.passed;
      total.failed += score.failed;
    }
    rows.push(row('all', total));
    return rows;
  }
}

function row(suite: string, { tests, passed, failed }: Score): string[] {
  const all = passed + failed;
  // Rounded down: 100 says that all pass.
  const percentage = all === 0 ? 100 : Math.floor((passed / all) * 1000) / 10;
  return [suite, String(tests), String(passed), String(failed), percentage.toFixed(1)];
}

/** The rows in columns; numbers to the right. */
export function columns(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((cells) => cells[at]?.length ?? 0)));
  const pad = (cell: string, at: number) =>
    at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0);
  return rows.map((cells) => cells.map(pad).join('  ')).join('\n');
}

const README = path.resolve(__dirname, '../../README.md');
const MARKED = /(<!-- npm run wpt: begin -->\n)[\s\S]*?(<!-- npm run wpt: end -->)/;

/** Puts the table into the README. */
export function writeReadme(rows: readonly string[][]): void {
  const text = readFileSync(README, 'utf8');
  if (!MARKED.test(text)) throw new Error('README.md has lost the marks of the table of Web Platform Tests');
  const [head = [], ...body] = rows;
  const lines = [head, head.map((_, at) => (at === 0 ? '---' : '--:')), ...body];
  const table = lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
  writeFileSync(
    README,
    text.replace(MARKED, (_all, begin: string, end: string) => `${begin}${table}${end}`),
  );
}
