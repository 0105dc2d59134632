// A short soak from Node: what is done over and over is given back, judged by the slope of the second half.
// `npm run soak` is the long one.

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'ava';

const root = path.resolve(__dirname, '../..');

test.serial('what requests, streams, calls and isolates took is given back', (t) => {
  const args = ['--expose-gc', '--import', 'tsx', 'scripts/soak.ts', '--requests', '12000'];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: 150_000,
  });
  t.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' }, stdout);
  t.regex(stdout, /pools, workers, contexts, runtimes/);
});
