// Owns the one classic script that a test is run as: a prelude, the harness, the test's scripts, the test, and
// an end that gives the results.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ModuleKind, ScriptTarget, transpile } from 'typescript';
import { readScript, type WptTest } from './folder.js';

/** How one subtest ended; `status` as testharness.js numbers them, 0 is a pass. */
export interface Subtest {
  readonly name: string;
  readonly status: number;
  readonly message: string | null;
}

/** What a test's script gives, as JSON. `status` is the harness's: 0 ok, 1 error, 2 timeout, 3 precondition. */
export interface Results {
  readonly status: number;
  readonly message: string | null;
  readonly subtests: readonly Subtest[];
}

/** How a test is run. */
export interface ComposeOptions {
  readonly folder: string;
  /** Where the folder is served. */
  readonly origin: string;
  /** When the harness is told that time is over. */
  readonly timeoutMs: number;
}

const IDL_HARNESS = 'resources/idlharness.js';

/** Where the parts of `guest.ts` are found in the guest; no name that a test could see or take. */
const GUEST = `globalThis[Symbol.for('test runner')]`;

export function composeScript(test: WptTest, { folder, origin, timeoutMs }: ComposeOptions): string {
  const url = JSON.stringify(`${origin}/${test.file}${test.variant}`);
  return [
    `Object.defineProperty(globalThis, Symbol.for('test runner'), { value: ${guestParts()} })`,
    `${GUEST}.prelude(${url})`,
    readScript(folder, 'resources/testharness.js'),
    `${GUEST}.done = ${GUEST}.results(${timeoutMs})`,
    ...(test.scripts.includes(IDL_HARNESS) ? [`${GUEST}.actAsWorker()`] : []),
    ...test.scripts.map((script) => readScript(folder, script)),
    readScript(folder, test.file),
    'done()',
    `${GUEST}.done`,
  ].join('\n;\n');
}

/** An expression for the exports of `guest.ts`. */
function guestParts(): string {
  const source = readFileSync(path.join(__dirname, 'guest.ts'), 'utf8');
  const code = transpile(source, { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022 });
  return `((exports) => {${code}\nreturn exports;\n})({})`;
}
