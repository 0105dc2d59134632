// The command that runs the Web Platform Tests, on folders and results made here: what it finds, how it
// compares, and what it says of a folder that is none.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { compare, count, type Expected, type ExpectedFailure, update } from '../scripts/wpt/expectations.js';
import { findTests, missingScript, openFolder } from '../scripts/wpt/folder.js';
import type { Outcome } from '../scripts/wpt/outcome.js';
import { parsePipe, serveFolder } from '../scripts/wpt/server.js';

const folder = mkdtempSync(path.join(tmpdir(), 'wpt-runner-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

/** Stands for the real harness: it has the functions that the runner and these tests call. */
const HARNESS = `
var callbacks = [], subtests = [];
function add_completion_callback(callback) { callbacks.push(callback); }
function timeout() { finish(2); }
function finish(status) { for (const callback of callbacks) callback(subtests, { status, message: null }); }
function subtest(name, passes) { subtests.push({ name, status: passes ? 0 : 1, message: passes ? null : 'no' }); }
async function done() { await globalThis.pending; finish(0); }`;

function write(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  writeFileSync(path.join(folder, file), text);
}

test.before(() => {
  write('resources/testharness.js', HARNESS);
  write('resources/webidl2/lib/webidl2.js', '');
  write('a/lib.js', 'var answer = 42;');
  write(
    'a/b/variants.any.js',
    '// META: variant=?1-2\n// META: variant=?3-last\n// META: timeout=long\nsubtest(location.search, true);',
  );
  write('a/window.any.js', '// META: global=window\nsubtest("window", false);');
  write(
    'a/scripts.any.js',
    [
      '// META: global=window,worker',
      '// META: script=/a/lib.js',
      '// META: script=/resources/WebIDLParser.js',
      'subtest("sloppy", (function () { return this === globalThis; })());',
      'subtest("shell", !GLOBAL.isWorker() && self === globalThis);',
      'subtest("script", answer === 42);',
      'globalThis.pending = fetch("data.json").then((r) => r.json()).then((d) => subtest("fetched", d.ok));',
      'subtest("fails", false);',
    ].join('\n'),
  );
  write('a/data.json', '{"ok":true}');
  write('a/missing.any.js', '// META: script=nothing.js\n');
});

test.serial('finds tests with their variants and scripts, and none that need a window', (t) => {
  const tests = findTests(openFolder(folder));
  t.deepEqual(
    tests.map(({ name }) => name),
    ['a/b/variants.any.js?1-2', 'a/b/variants.any.js?3-last', 'a/missing.any.js', 'a/scripts.any.js'],
  );
  t.true(tests[0]?.long);
  t.deepEqual(tests[3]?.scripts, ['a/lib.js', 'resources/WebIDLParser.js']);
  t.is(missingScript(folder, tests[2]!), 'a/nothing.js');
  t.is(missingScript(folder, tests[3]!), undefined);
});

test('says what is wrong with a folder', (t) => {
  t.throws(() => openFolder(undefined), { message: /WPT_DIR/ });
  t.throws(() => openFolder(path.join(folder, 'nowhere')), { message: /nowhere is not a folder/ });
  t.throws(() => openFolder(path.join(folder, 'a')), { message: /testharness\.js/ });
});

const failing: Outcome = {
  status: 'ok',
  message: '',
  subtests: [
    { name: 'good', status: 0, message: null },
    { name: 'bad', status: 1, message: 'why' },
  ],
};

const fails = (...fail: ExpectedFailure[]): Expected => ({ inapplicable: [], fail });
const doesNotApply = (...inapplicable: ExpectedFailure[]): Expected => ({ inapplicable, fail: [] });
const crashed: Outcome = { status: 'crash', message: 'SIGSEGV', subtests: [] };

test('compares an outcome with what is expected', (t) => {
  for (const list of [fails, doesNotApply]) {
    t.deepEqual(compare(list({ reason: 'so', subtests: ['bad'] }), failing), []);
    t.deepEqual(compare(list(), failing), ['unexpected failure: bad: why']);
    t.deepEqual(compare(list({ reason: 'so', subtests: ['bad', 'good'] }), failing), [
      'unexpected pass: good',
    ]);
    t.deepEqual(compare(list({ reason: 'so', subtests: ['bad', 'gone'] }), failing), [
      'listed, but no such subtest: gone',
    ]);
    t.deepEqual(compare(list({ reason: '', subtests: ['bad'] }), failing), [
      'a listed failure has no reason',
    ]);
    t.deepEqual(compare(list(), crashed), ["the run ended with 'crash', expected 'ok': SIGSEGV"]);
    t.deepEqual(compare(list({ reason: 'so', run: 'crash' }), crashed), []);
    t.is(compare(list({ reason: 'so', run: 'timeout' }), failing).length, 2);
  }
  const bad = [{ reason: 'so', subtests: ['bad'] }];
  t.deepEqual(compare({ inapplicable: bad, fail: bad }, failing), ['listed as both: bad']);
});

test('counts what does not apply apart from what fails', (t) => {
  const bad: ExpectedFailure = { reason: 'so', subtests: ['bad'] };
  t.deepEqual(count(fails(bad), failing), { passed: 1, failed: 1, inapplicable: 0 });
  t.deepEqual(count(doesNotApply(bad), failing), { passed: 1, failed: 0, inapplicable: 1 });
  t.deepEqual(count(doesNotApply({ reason: 'so', subtests: ['good', 'bad'] }), failing), {
    passed: 1,
    failed: 0,
    inapplicable: 1,
  });
  t.deepEqual(count(fails(), crashed), { passed: 0, failed: 1, inapplicable: 0 });
  t.deepEqual(count(doesNotApply({ reason: 'so', run: 'crash' }), crashed), {
    passed: 0,
    failed: 0,
    inapplicable: 1,
  });
  t.deepEqual(count(doesNotApply({ reason: 'so', run: 'error' }), crashed), {
    passed: 0,
    failed: 1,
    inapplicable: 0,
  });
});

test('an update keeps the lists and reasons of what fails still', (t) => {
  const expected: ExpectedFailure[] = [
    { reason: 'kept', subtests: ['bad', 'good'] },
    { reason: 'gone', subtests: ['good'] },
    { reason: 'gone too', run: 'error' },
  ];
  const worse = { ...failing, subtests: [...failing.subtests, { name: 'new', status: 2, message: null }] };
  t.deepEqual(
    update(fails(...expected), worse),
    fails({ reason: 'kept', subtests: ['bad'] }, { reason: '', subtests: ['new'] }),
  );
  t.deepEqual(update(doesNotApply(...expected), worse), {
    inapplicable: [{ reason: 'kept', subtests: ['bad'] }],
    fail: [{ reason: '', subtests: ['new'] }],
  });
  const over: Outcome = { status: 'timeout', message: '', subtests: [] };
  t.deepEqual(update(fails(), over), fails({ reason: '', run: 'timeout' }));
  t.deepEqual(
    update(doesNotApply({ reason: 'kept', run: 'timeout' }), over),
    doesNotApply({ reason: 'kept', run: 'timeout' }),
  );
});

test('serves files with the pipe functions that tests use', async (t) => {
  const server = await serveFolder(folder);
  const response = await fetch(`${server.origin}/a/data.json?pipe=header(Content-Type,text%2Fx)|status(404)`);
  t.is(response.headers.get('content-type'), 'text/x');
  t.is(response.status, 404);
  t.is(await response.text(), '{"ok":true}');
  t.is((await fetch(`${server.origin}/..%2f..%2fetc/passwd`)).status, 404);
  t.is((await fetch(`${server.origin}/a/script.py`)).status, 501);
  server.close();
  t.deepEqual(parsePipe('header(A,b\\,c)|status(200)'), [
    { name: 'header', args: ['A', 'b,c'] },
    { name: 'status', args: ['200'] },
  ]);
});

test('runs tests in isolates and fails on what is not expected', (t) => {
  const args = ['--import', 'tsx', 'scripts/wpt/run.ts', `--dir=${folder}`, 'a/scripts', 'a/b', 'a/missing'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  t.is(status, 1);
  t.regex(stderr, /^a\/scripts\.any\.js: unexpected failure: fails: no$/m);
  t.regex(stderr, /^1 results are not as/m);
  t.regex(stdout, /^a +3 +6 +1 +0 +85\.7$/m);
  t.regex(stdout, /missing\.any\.js is not run: the folder has no a\/nothing\.js/);
});
