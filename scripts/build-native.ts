// Builds the addon for this machine and writes what JavaScript loads it by:
//
//   isolane.<platform>.node   the addon
//   binding.cjs               the loader that finds it, or the platform's package (committed)
//   binding.d.cts             its types (committed)
//
// `napi build` would do, but always passes --target, with which cargo compiles V8's bindings a second
// time for the build scripts. The parts of the same tool are called here instead.

import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { generateTypeDef, readNapiConfig, writeJsBinding } from '@napi-rs/cli';
import { requireToolchain } from './check-toolchain.js';

const root = path.resolve(__dirname, '..');
const targetDir = path.resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
const typeDefDir = path.join(targetDir, 'napi-types');

const CRATE = 'isolane-node';
const LIBRARIES: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'libisolane_node.so',
  darwin: 'libisolane_node.dylib',
  win32: 'isolane_node.dll',
};
const ABIS: Partial<Record<NodeJS.Platform, string>> = { linux: '-gnu', win32: '-msvc' };

/** The addon's file for this machine. */
export function addonFile(): string {
  return path.join(root, `isolane.${process.platform}-${process.arch}${ABIS[process.platform] ?? ''}.node`);
}

/** Runs cargo, which shows its own progress, and writes the three files. */
export async function buildNative(): Promise<void> {
  const library = LIBRARIES[process.platform];
  if (library === undefined) throw new Error(`There is no addon for ${process.platform}`);
  requireToolchain();
  mkdirSync(typeDefDir, { recursive: true });
  // Cargo does not know of the types: where they are gone, the crate has to be compiled again.
  if (!existsSync(path.join(typeDefDir, CRATE))) {
    const now = new Date();
    utimesSync(path.join(root, 'crates/node/build.rs'), now, now);
  }
  await cargo(['build', '--release', '--package', CRATE]);
  // By a rename, so that a process that has the old one loaded keeps it.
  const addon = addonFile();
  copyFileSync(path.join(targetDir, 'release', library), `${addon}.new`);
  renameSync(`${addon}.new`, addon);
  await writeLoader();
}

async function cargo(args: string[]): Promise<void> {
  const child = spawn('cargo', args, {
    cwd: root,
    stdio: 'inherit',
    // The derive macros leave the types of what they see here.
    env: { ...process.env, NAPI_TYPE_DEF_TMP_FOLDER: typeDefDir },
  });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`cargo ${args.join(' ')} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

async function writeLoader(): Promise<void> {
  const config = await readNapiConfig(path.join(root, 'package.json'));
  const types = await generateTypeDef({ typeDefDir, cwd: root, constEnum: false });
  const declarations = path.join(root, 'binding.d.cts');
  // Untouched where nothing changed: dist/ is as fresh as the newest of what it is made from.
  if (readFileSync(declarations, 'utf8') !== types.dts) writeFileSync(declarations, types.dts);
  await writeJsBinding({
    platform: true,
    idents: types.exports,
    jsBinding: 'binding.cjs',
    binaryName: config.binaryName,
    packageName: config.packageName,
    version: config.packageJson.version,
    outputDir: root,
  });
}

if (require.main === module) {
  buildNative().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
