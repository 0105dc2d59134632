// The Web Platform Tests as a command:
//
//   npm run wpt [-- [filter…] [--dir=FOLDER] [--jobs=N] [--update] [--verbose]]
//
// Runs every `.any.js` test of the folder that --dir or WPT_DIR names, and compares what comes out with
// `__test__/wpt`. A filter is how a test's name begins. --update rewrites the expectations, keeping their reasons,
// and, without a filter, the table in the README. Ends with 1 where something is not as expected.

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { runAll } from './crew.js';
import {
  compare,
  count,
  type Expectations,
  type Expected,
  expectedOf,
  expectNothing,
  readExpectations,
  setExpected,
  update,
  writeExpectations,
} from './expectations.js';
import { findTests, missingScript, openFolder, type WptTest } from './folder.js';
import { explain, type Outcome, passed } from './outcome.js';
import { columns, Scores, writeReadme } from './report.js';
import { serveFolder } from './server.js';

interface Flags {
  readonly update: boolean;
  readonly verbose: boolean;
}

async function main(): Promise<void> {
  const { values, positionals: filters } = parseArgs({
    allowPositionals: true,
    options: {
      dir: { type: 'string' },
      jobs: { type: 'string' },
      update: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
    },
  });
  const folder = openFolder(values.dir ?? process.env.WPT_DIR);
  const size = Number(values.jobs ?? cpus().length);
  if (!Number.isInteger(size) || size < 1) throw new Error(`--jobs must be a count, not ${values.jobs}`);
  const wanted = (name: string) => filters.length === 0 || filters.some((filter) => name.startsWith(filter));

  const suites = new Suites();
  const found = findTests(folder);
  const tests = found.filter((test) => {
    if (!wanted(test.name) || suites.skips(test)) return false;
    const missing = missingScript(folder, test);
    if (missing !== undefined) console.log(`${test.name} is not run: the folder has no ${missing}`);
    return missing === undefined;
  });
  if (tests.length === 0) throw new Error(`No test of ${folder} begins with ${filters.join(' or ')}`);

  const scores = new Scores();
  const problems = suites.vanished(found, wanted, values.update);
  const server = await serveFolder(folder);
  const onOutcome = (test: WptTest, outcome: Outcome) => {
    if (values.verbose) print(test, outcome);
    problems.push(...suites.take(test, outcome, values));
    scores.add(test.suite, count(suites.expected(test), outcome));
  };
  try {
    await runAll(tests, { folder, origin: server.origin, size, onOutcome });
  } finally {
    server.close();
  }

  const rows = scores.rows();
  console.log(columns(rows));
  if (values.update) {
    suites.write();
    if (filters.length === 0) writeReadme(rows);
  }
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) {
    console.error(`\n${problems.length} results are not as __test__/wpt expects`);
    process.exitCode = 1;
  }
}

function print(test: WptTest, outcome: Outcome): void {
  console.log(`${test.name}: ${outcome.status} ${outcome.message}`);
  for (const subtest of outcome.subtests) if (!passed(subtest)) console.log(`  ${explain(subtest)}`);
}

/** What is expected of all suites. */
class Suites {
  readonly #suites = readExpectations();

  skips(test: WptTest): boolean {
    return this.#of(test.suite).skip[test.file] !== undefined;
  }

  /** The problems of one outcome; with --update there are only those that a person has to solve. */
  take(test: WptTest, outcome: Outcome, flags: Flags): string[] {
    const suite = this.#of(test.suite);
    if (flags.update) setExpected(suite, test.name, update(this.expected(test), outcome));
    return compare(this.expected(test), outcome).map((problem) => `${test.name}: ${problem}`);
  }

  expected(test: WptTest): Expected {
    return expectedOf(this.#of(test.suite), test.name);
  }

  /** The listed tests that are not there any more; with --update they leave the list. */
  vanished(found: readonly WptTest[], wanted: (name: string) => boolean, isUpdate: boolean): string[] {
    const names = new Set(found.flatMap(({ name, file }) => [name, file]));
    const problems: string[] = [];
    for (const { skip, inapplicable, fail } of this.#suites.values()) {
      for (const list of [skip, inapplicable, fail]) {
        for (const name of Object.keys(list)) {
          if (names.has(name) || !wanted(name)) continue;
          if (isUpdate) delete list[name];
          else problems.push(`${name}: listed, but there is no such test`);
        }
      }
    }
    return problems;
  }

  write(): void {
    for (const [suite, expectations] of this.#suites) writeExpectations(suite, expectations);
  }

  #of(suite: string): Expectations {
    let expectations = this.#suites.get(suite);
    if (expectations === undefined) {
      expectations = expectNothing();
      this.#suites.set(suite, expectations);
    }
    return expectations;
  }
}

main().catch((error: unknown) => {
  console.error(`wpt: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});
