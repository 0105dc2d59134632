// One implementation, in ES modules and CommonJS, on every Node that is supported; and an addon that
// shows nothing but its entry point.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import * as source from '../index.js';
import { nodes, runScript } from './support/child.js';

const HELLO = `executePooled('a', "export default { fetch: (r) => new Response('hello ' + new URL(r.url).pathname) }", 'http://x/world')`;

for (const [name, node] of nodes()) {
  test(`${name}: answers in an ES module, and exits by itself`, async (t) => {
    const script = `import { executePooled } from 'isolane'; console.log(await (await ${HELLO}).text());`;
    const ended = await runScript(script, { node });
    t.is(ended.stderr, '');
    t.deepEqual([ended.stdout, ended.code], ['hello /world\n', 0]);
  });

  test(`${name}: answers in CommonJS, and exits by itself`, async (t) => {
    const script = `const { executePooled } = require('isolane'); ${HELLO}.then((r) => r.text()).then(console.log);`;
    const ended = await runScript(script, { node, format: 'commonjs' });
    t.is(ended.stderr, '');
    t.deepEqual([ended.stdout, ended.code], ['hello /world\n', 0]);
  });

  test(`${name}: both formats have the same names and classes`, async (t) => {
    const script = `
      import { createRequire } from 'node:module';
      import * as esm from 'isolane';
      const cjs = createRequire(import.meta.url)('isolane');
      const keys = Object.keys(cjs).sort();
      const same = keys.every((key) => esm[key] === cjs[key]);
      console.log(JSON.stringify([keys, Object.keys(esm).filter((key) => key !== 'default' && key !== 'module.exports').sort(), same]));`;
    const ended = await runScript(script, { node });
    const [cjs, esm, same] = JSON.parse(ended.stdout) as [string[], string[], boolean];
    t.deepEqual(esm, cjs);
    t.true(same);
    t.deepEqual(cjs, Object.keys(source).sort());
  });
}

test('the addon exports its entry point only', (t) => {
  const addon = path.resolve(__dirname, '../isolane.linux-x64-gnu.node');
  if (!existsSync(addon)) {
    t.pass();
    return;
  }
  const symbols = execFileSync('nm', ['-D', '--defined-only', addon], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const names = symbols
    .trim()
    .split('\n')
    .map((line) => line.split(' ').at(-1));
  t.deepEqual(names, ['napi_register_module_v1']);
});
