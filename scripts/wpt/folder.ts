// Owns the folder of Web Platform Tests: looks whether it is one, finds its `.any.js` tests, and reads what
// their META lines say. Nothing of it is copied.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** One run: a test file with one of its variants. */
export interface WptTest {
  /** The file below the folder, with forward slashes, and the variant: `url/a.any.js?1-10`. */
  readonly name: string;
  readonly file: string;
  /** Starts with `?` or `#`, or is empty. */
  readonly variant: string;
  /** The first folder of its path. */
  readonly suite: string;
  /** The scripts that come before it, below the folder. */
  readonly scripts: readonly string[];
  /** Whether the test says that it takes long. */
  readonly long: boolean;
}

const SUFFIX = '.any.js';

/** The folder's absolute path, or an error that says what is wrong with it. */
export function openFolder(given: string | undefined): string {
  const advice =
    'Give a checkout of https://github.com/web-platform-tests/wpt as WPT_DIR or as --dir=FOLDER.';
  if (given === undefined || given === '')
    throw new Error(`There is no folder of Web Platform Tests. ${advice}`);
  const folder = path.resolve(given);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new Error(`${folder} is not a folder. ${advice}`);
  }
  if (!existsSync(path.join(folder, 'resources', 'testharness.js'))) {
    throw new Error(
      `${folder} has no resources/testharness.js, so it is not one of Web Platform Tests. ${advice}`,
    );
  }
  return folder;
}

/** All tests that a runtime without windows can run, ordered by name. */
export function findTests(folder: string): WptTest[] {
  const tests: WptTest[] = [];
  for (const file of walk(folder, '')) tests.push(...readTest(folder, file));
  return tests.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function* walk(folder: string, below: string): Generator<string> {
  for (const entry of readdirSync(path.join(folder, below), { withFileTypes: true })) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!entry.name.startsWith('.') && entry.name !== 'node_modules') yield* walk(folder, name);
    } else if (entry.name.endsWith(SUFFIX)) yield name;
  }
}

function readTest(folder: string, file: string): WptTest[] {
  const meta = parseMeta(readFileSync(path.join(folder, file), 'utf8'));
  if (!runsOutsideOfWindows(meta.get('global'))) return [];
  const base = path.posix.dirname(file);
  const scripts = (meta.get('script') ?? []).map((script) =>
    script.startsWith('/') ? script.slice(1) : path.posix.join(base, script),
  );
  const variants = meta.get('variant') ?? [''];
  return variants.map((variant) => ({
    name: `${file}${variant}`,
    file,
    variant,
    suite: file.split('/')[0] as string,
    scripts,
    long: (meta.get('timeout') ?? []).includes('long'),
  }));
}

/** The values of the `// META: key=value` lines by key, in order. */
export function parseMeta(source: string): Map<string, string[]> {
  const meta = new Map<string, string[]>();
  for (const [, key, value] of source.matchAll(/^\/\/ META: *([a-z]+)=(.*)$/gm)) {
    if (key === undefined || value === undefined) continue;
    meta.set(key, [...(meta.get(key) ?? []), value.trim()]);
  }
  return meta;
}

/** A test that names only windows needs one; without a list it is for windows and workers. */
function runsOutsideOfWindows(globals: readonly string[] | undefined): boolean {
  if (globals === undefined) return true;
  const names = globals.flatMap((list) => list.split(',')).map((name) => name.trim());
  return names.some((name) => name !== 'window' && !name.startsWith('!'));
}

/** A script that the test needs and a folder with only a part of the tests may lack. */
export function missingScript(folder: string, test: WptTest): string | undefined {
  return test.scripts.find((script) => !existsSync(locate(folder, script)));
}

/** The text of a script of the folder; the names that only the tests' own server knows are understood too. */
export function readScript(folder: string, script: string): string {
  return readFileSync(locate(folder, script), 'utf8');
}

function locate(folder: string, script: string): string {
  const direct = path.join(folder, script);
  if (script !== 'resources/WebIDLParser.js' || existsSync(direct)) return direct;
  return path.join(folder, 'resources', 'webidl2', 'lib', 'webidl2.js');
}
