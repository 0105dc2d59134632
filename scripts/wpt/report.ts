// Owns the table of results by suite: on the terminal, and in the README between two marks.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Counts } from './expectations.js';

interface Score extends Counts {
  tests: number;
}

/** Adds up the counts of tests by suite. */
export class Scores {
  readonly #suites = new Map<string, Score>();

  add(suite: string, counts: Counts): void {
    const score = this.#suites.get(suite) ?? { tests: 0, passed: 0, failed: 0, inapplicable: 0 };
    this.#suites.set(suite, sum(score, { tests: 1, ...counts }));
  }

  /** A row for each suite and one for all, beneath a head. */
  rows(): string[][] {
    let total: Score = { tests: 0, passed: 0, failed: 0, inapplicable: 0 };
    const rows = [['suite', 'tests', 'passed', 'failed', 'not applicable', '%']];
    for (const [suite, score] of Array.from(this.#suites).sort(([a], [b]) => (a < b ? -1 : 1))) {
      rows.push(row(suite, score));
      total = sum(total, score);
    }
    rows.push(row('all', total));
    return rows;
  }
}

function sum(a: Score, b: Score): Score {
  return {
    tests: a.tests + b.tests,
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    inapplicable: a.inapplicable + b.inapplicable,
  };
}

function row(suite: string, { tests, passed, failed, inapplicable }: Score): string[] {
  const applicable = passed + failed;
  // Rounded down: 100 says that all pass.
  const percentage = applicable === 0 ? 100 : Math.floor((passed / applicable) * 1000) / 10;
  const counts = [tests, passed, failed, inapplicable].map(String);
  return [suite, ...counts, percentage.toFixed(1)];
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
