// Builds what is not fresh: the addon, of which cargo knows, and dist/, which is stale when a source
// or the binding's types are newer. Run by `npm run build` and by the scripts that need a build.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { buildNative } from './build-native.js';

const root = path.resolve(__dirname, '..');
const DIST = ['index.js', 'index.mjs', 'index.d.ts', 'index.d.mts'];

async function build(): Promise<void> {
  await step('the native addon (the first time takes minutes: it links V8)', buildNative);
  if (isDistFresh()) console.log('build: dist/ is fresh');
  else await step('dist/', compileTypeScript);
}

async function step(what: string, run: () => Promise<void> | void): Promise<void> {
  const began = performance.now();
  console.log(`build: ${what} …`);
  await run();
  console.log(`build: done in ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

function isDistFresh(): boolean {
  const outputs = DIST.map((file) => path.join(root, 'dist', file));
  if (!outputs.every((file) => existsSync(file))) return false;
  const oldestOutput = Math.min(...outputs.map(modified));
  return Math.max(...sources().map(modified)) <= oldestOutput;
}

function sources(): string[] {
  const lib = readdirSync(path.join(root, 'lib')).map((file) => path.join('lib', file));
  const others = ['index.ts', 'index.mts', 'binding.d.cts', 'tsconfig.json', 'tsconfig.build.json'];
  return [...lib, ...others].map((file) => path.join(root, file));
}

function modified(file: string): number {
  return statSync(file).mtimeMs;
}

function compileTypeScript(): void {
  const tsc = require.resolve('typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the TypeScript compiler found errors');
}

build().catch((error: unknown) => {
  console.error(`build: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});
