// The command line of the benchmark against other runtimes. The peers are not installed where the tests run,
// so nothing is measured here.

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'ava';

const root = path.resolve(__dirname, '..');

function benchPeers(...parameters: string[]) {
  return spawnSync(process.execPath, ['--import', 'tsx', 'benchmark/peers/run.ts', ...parameters], {
    cwd: root,
    encoding: 'utf8',
  });
}

const WRONG = [
  { given: ['--only=isolane,nodde'], said: /--only: 'nodde' is none of isolane, isolated-vm/ },
  { given: ['--cases=lukewarm'], said: /--cases: 'lukewarm' is none of cold, context/ },
  { given: ['--rounds=2'], said: /--rounds takes a whole number of at least 3, not '2'/ },
  { given: ['--fast'], said: /Unknown option '--fast'/ },
];

for (const { given, said } of WRONG) {
  test(`bench:peers refuses ${given.join(' ')}, and says what it takes`, (t) => {
    const { status, stderr } = benchPeers(...given);
    t.is(status, 2);
    t.regex(stderr, said);
    t.regex(stderr, /npm run bench:peers/);
  });
}

test('bench:peers explains its options', (t) => {
  const { status, stdout } = benchPeers('--help');
  t.is(status, 0);
  t.regex(stdout, /--cases=NAMES/);
});
