// The third promise of the README: `npm install` of prebuilt packages, on a machine without Rust.
//
// Packs both tarballs as a release does, installs them into an empty folder with nothing on the PATH and
// no network, and runs a worker from there in ESM and in CommonJS.

import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import test from 'ava';

const repoDir = path.resolve(__dirname, '..');
const packScript = path.join(repoDir, 'scripts', 'pack-prebuilt.ts');
const workDir = mkdtempSync(path.join(tmpdir(), 'isolane-prebuilt-'));
const tarballDir = path.join(workDir, 'tarballs');
const appDir = path.join(workDir, 'app');
const emptyDir = path.join(workDir, 'empty');

const WORKER = "export default { fetch: (r) => new Response('hello ' + new URL(r.url).pathname) }";
const USE = `
  const response = await executePooled('a', ${JSON.stringify(WORKER)}, 'http://x/world');
  console.log(await response.text());
`;

/** An environment in which no program is found, and npm has neither our settings nor a cache. */
const bareEnv = {
  PATH: emptyDir,
  HOME: emptyDir,
  SystemRoot: process.env.SystemRoot,
  npm_config_cache: path.join(workDir, 'npm-cache'),
  npm_config_update_notifier: 'false',
};

const childOptions = { encoding: 'utf8', timeout: 120_000 } as const;

/** npm's own script, so that it runs where the PATH has no npm. */
function npmCli(): string {
  const running = process.env.npm_execpath;
  if (running?.endsWith('npm-cli.js')) return running;
  for (const dir of (process.env.PATH ?? '').split(path.delimiter)) {
    const bundled = path.join(dir, 'node_modules', 'npm', 'bin', 'npm-cli.js');
    if (existsSync(bundled)) return bundled;
    const link = path.join(dir, 'npm');
    if (existsSync(link) && realpathSync(link).endsWith('npm-cli.js')) return realpathSync(link);
  }
  throw new Error('npm was not found');
}

/** Starts the packing script in a temporary folder of its own, so that what it leaves there is seen. */
function packArguments(...args: string[]): string[] {
  return ['--import', 'tsx', packScript, '--out', tarballDir, ...args];
}

function packEnv(temporaryDir: string): NodeJS.ProcessEnv {
  mkdirSync(temporaryDir, { recursive: true });
  return { ...process.env, npm_execpath: npmCli(), TMPDIR: temporaryDir, TEMP: temporaryDir };
}

function stagingFolders(temporaryDir: string): string[] {
  return readdirSync(temporaryDir).filter((name) => name.startsWith('isolane-pack-'));
}

function runApp(file: string): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [file], { ...childOptions, cwd: appDir, env: bareEnv, timeout: 30_000 });
}

test.before('pack and install', (t) => {
  t.timeout(300_000);
  for (const dir of [tarballDir, appDir, emptyDir]) mkdirSync(dir);
  const manifest = readFileSync(path.join(repoDir, 'package.json'));
  const temporaryDir = path.join(workDir, 'pack');
  const packed = spawnSync(process.execPath, packArguments(), {
    ...childOptions,
    cwd: repoDir,
    env: packEnv(temporaryDir),
  });
  t.is(packed.status, 0, `${packed.stdout}${packed.stderr}`);
  t.deepEqual(readFileSync(path.join(repoDir, 'package.json')), manifest, 'the manifest was changed');
  t.deepEqual(stagingFolders(temporaryDir), []);

  const tarballs = readdirSync(tarballDir).map((name) => path.join(tarballDir, name));
  t.is(tarballs.length, 2, `tarballs: ${tarballs.join(', ')}`);
  writeFileSync(
    path.join(appDir, 'package.json'),
    '{ "name": "app", "version": "1.0.0", "private": true }\n',
  );
  for (const tool of ['cargo', 'rustc']) {
    const { error } = spawnSync(tool, ['--version'], { env: bareEnv });
    t.is((error as NodeJS.ErrnoException | undefined)?.code, 'ENOENT', `${tool} is on the bare PATH`);
  }
  const installed = spawnSync(
    process.execPath,
    [npmCli(), 'install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', ...tarballs],
    { ...childOptions, cwd: appDir, env: bareEnv },
  );
  t.is(installed.status, 0, `${installed.stdout}${installed.stderr}`);
});

test.after.always('clean up', () => {
  rmSync(workDir, { recursive: true, force: true });
});

test('the root package names every platform package by exact version, and carries no binary', (t) => {
  const packageDir = path.join(appDir, 'node_modules', 'isolane');
  const manifest = JSON.parse(readFileSync(path.join(packageDir, 'package.json'), 'utf8'));
  const expected = readdirSync(path.join(repoDir, 'npm')).map((name) => [
    `isolane-${name}`,
    manifest.version,
  ]);
  t.deepEqual(manifest.optionalDependencies, Object.fromEntries(expected));
  t.is(manifest.scripts, undefined);
  t.is(manifest.devDependencies, undefined);
  const files = readdirSync(packageDir, { recursive: true, encoding: 'utf8' });
  t.deepEqual(
    files.filter((name) => name.endsWith('.node')),
    [],
  );
});

test('the platform package carries the licences of what its binary holds', (t) => {
  const platforms = readdirSync(path.join(appDir, 'node_modules')).filter((name) =>
    name.startsWith('isolane-'),
  );
  t.is(platforms.length, 1, platforms.join(', '));
  const files = readdirSync(path.join(appDir, 'node_modules', platforms[0] as string));
  t.true(files.includes('LICENSE') && files.includes('NOTICE'), files.join(', '));
});

test('a worker runs in ESM, and the process ends by itself', (t) => {
  writeFileSync(path.join(appDir, 'app.mjs'), `import { executePooled } from 'isolane';\n${USE}`);
  const { status, signal, stdout, stderr } = runApp('app.mjs');
  t.deepEqual(
    { status, signal, stdout, stderr },
    { status: 0, signal: null, stdout: 'hello /world\n', stderr: '' },
  );
});

test('a worker runs in CommonJS, and the process ends by itself', (t) => {
  const source = `const { executePooled } = require('isolane');\n(async () => {${USE}})();\n`;
  writeFileSync(path.join(appDir, 'app.cjs'), source);
  const { status, signal, stdout, stderr } = runApp('app.cjs');
  t.deepEqual(
    { status, signal, stdout, stderr },
    { status: 0, signal: null, stdout: 'hello /world\n', stderr: '' },
  );
});

// There are no child processes on Windows.
(process.platform === 'win32' ? test.skip : test)('a worker runs in a child process', (t) => {
  const source = `const { IsolatePool } = require('isolane');
    (async () => {
      const pool = new IsolatePool({ isolation: 'process' });
      await pool.deploy('a', ${JSON.stringify(WORKER)});
      console.log(await (await pool.fetch('a', 'http://x/world')).text());
    })();\n`;
  writeFileSync(path.join(appDir, 'process.cjs'), source);
  const { status, signal, stdout, stderr } = runApp('process.cjs');
  t.deepEqual(
    { status, signal, stdout, stderr },
    { status: 0, signal: null, stdout: 'hello /world\n', stderr: '' },
  );
});

test('packing for a platform that was not built says so and leaves nothing behind', (t) => {
  const other = process.platform === 'win32' ? 'linux-x64-gnu' : 'win32-x64-msvc';
  const temporaryDir = path.join(workDir, 'pack-other');
  const { status, stderr } = spawnSync(
    process.execPath,
    packArguments('--only', 'platform', '--platform', other),
    {
      ...childOptions,
      cwd: repoDir,
      env: packEnv(temporaryDir),
    },
  );
  t.is(status, 1);
  t.regex(stderr, new RegExp(`isolane\\.${other}\\.node has not been built`));
  t.deepEqual(stagingFolders(temporaryDir), []);
});

// Windows ends a process without telling it.
(process.platform === 'win32' ? test.skip : test)('Ctrl-C while packing leaves nothing behind', async (t) => {
  const temporaryDir = path.join(workDir, 'pack-stopped');
  const child = spawn(process.execPath, packArguments('--only', 'root'), {
    cwd: repoDir,
    env: packEnv(temporaryDir),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (text.includes('packing isolane')) child.kill('SIGINT');
  });
  const code = await new Promise<number | null>((resolve) =>
    child.on('close', (exitCode) => resolve(exitCode)),
  );
  t.is(code, 130);
  t.deepEqual(stagingFolders(temporaryDir), []);
});
