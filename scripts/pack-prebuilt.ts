// Makes what users without Rust install: the root tarball, whose optional dependencies name the platform
// packages by exact version, and the tarball of one platform's package.
//
//   npm run pack:prebuilt -- [--out DIR] [--only root|platform] [--platform NAME]
//
// Both are packed from copies in a temporary folder, which goes away however the script ends: the manifests
// in the repository are only read. The tarballs appear in DIR (default: prebuilt/) once they are whole.

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const repoDir = path.resolve(__dirname, '..');
const started = Date.now();

/** Ends the commands that run when the script is told to stop. */
const stop = new AbortController();

interface Manifest {
  name: string;
  version: string;
  main?: string;
  scripts?: unknown;
  devDependencies?: unknown;
  ava?: unknown;
  optionalDependencies?: Record<string, string>;
}

interface Options {
  outDir: string;
  only: 'root' | 'platform' | undefined;
  platform: string;
}

function say(message: string): void {
  console.log(`[${((Date.now() - started) / 1000).toFixed(1).padStart(6)}s] ${message}`);
}

function readManifest(dir: string): Manifest {
  return JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8')) as Manifest;
}

function parseOptions(): Options {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, only: { type: 'string' }, platform: { type: 'string' } },
  });
  const { only } = values;
  if (only !== undefined && only !== 'root' && only !== 'platform') {
    throw new Error(`--only takes root or platform, not ${only}`);
  }
  return {
    outDir: path.resolve(values.out ?? path.join(repoDir, 'prebuilt')),
    only,
    platform: values.platform ?? hostPlatform(),
  };
}

/** This machine in the words of the folder names under npm/. */
function hostPlatform(): string {
  const { platform, arch } = process;
  if (platform === 'win32') return `win32-${arch}-msvc`;
  if (platform !== 'linux') return `${platform}-${arch}`;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return `linux-${arch}-${header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'}`;
}

/** Runs a command to its end and gives its standard output; rejects where it fails or the script is stopped. */
function run(command: string, args: string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'], signal: stop.signal });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.on('error', (error) => {
      // A command that was told to stop still writes until it has closed; one that never started just fails.
      if (error.name !== 'AbortError') reject(error);
    });
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else
        reject(new Error(`${command} ${args.join(' ')} ended with ${signal ?? `code ${code}`}\n${output}`));
    });
  });
}

/** npm, by the very file that runs this script, so that it needs no shell on any platform. */
function npm(args: string[], cwd: string): Promise<string> {
  const cli = process.env.npm_execpath;
  if (cli?.endsWith('.js') === true) return run(process.execPath, [cli, ...args], cwd);
  return run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, cwd);
}

function newestChange(paths: string[]): number {
  return Math.max(0, ...paths.filter((file) => existsSync(file)).map((file) => statSync(file).mtimeMs));
}

/** Compiles the TypeScript where dist/ is missing or older than its sources. */
async function ensureDist(): Promise<void> {
  const dist = ['index.js', 'index.d.ts', 'index.mjs', 'index.d.mts'].map((name) =>
    path.join(repoDir, 'dist', name),
  );
  const libDir = path.join(repoDir, 'lib');
  const lib = existsSync(libDir) ? readdirSync(libDir).map((name) => path.join(libDir, name)) : [];
  const sources = [path.join(repoDir, 'index.ts'), path.join(repoDir, 'index.mts'), ...lib];
  if (dist.every((file) => existsSync(file)) && newestChange(dist) >= newestChange(sources)) return;
  say('compiling TypeScript');
  await npm(['run', '--silent', 'build:ts'], repoDir);
}

/** Puts the built addon, without its symbols, into the platform's folder, and gives the folder's manifest. */
async function placeAddon(options: Options, version: string): Promise<Manifest & { main: string }> {
  const packageDir = path.join(repoDir, 'npm', options.platform);
  if (!existsSync(packageDir)) throw new Error(`there is no package for ${options.platform} under npm/`);
  const manifest = readManifest(packageDir);
  const { main } = manifest;
  if (main === undefined) throw new Error(`npm/${options.platform}/package.json names no main file`);
  if (manifest.version !== version) {
    throw new Error(
      `npm/${options.platform} is ${manifest.version}, the root ${version}: run npx napi version`,
    );
  }
  const built = path.join(repoDir, main);
  if (!existsSync(built)) {
    if (options.platform !== hostPlatform())
      throw new Error(`${main} has not been built: run npm run build on that platform`);
    say(`building ${main}`);
    await npm(['run', 'build'], repoDir);
  }
  const target = path.join(packageDir, main);
  const unfinished = `${target}.${process.pid}.tmp`;
  try {
    await copyFile(built, unfinished);
    await strip(unfinished);
    await rename(unfinished, target);
  } finally {
    rmSync(unfinished, { force: true });
  }
  say(`${main}: ${megabytes(built)} built, ${megabytes(target)} stripped`);
  return { ...manifest, main };
}

async function strip(file: string): Promise<void> {
  // Windows keeps symbols in a file of their own.
  if (process.platform === 'win32') return;
  if (process.platform !== 'darwin') {
    await run('strip', ['--strip-all', file], repoDir);
    return;
  }
  // macOS loads no changed arm64 code until it is signed again; "-" is a signature without an identity.
  await run('strip', ['-x', file], repoDir);
  await run('codesign', ['--force', '--sign', '-', file], repoDir);
}

function megabytes(file: string): string {
  return `${(statSync(file).size / 1e6).toFixed(1)} MB`;
}

async function packPlatform(options: Options, stagingDir: string, version: string): Promise<string> {
  const { main } = await placeAddon(options, version);
  const source = path.join(repoDir, 'npm', options.platform);
  const copy = path.join(stagingDir, options.platform);
  await mkdir(copy);
  for (const name of ['package.json', 'README.md', main])
    await copyFile(path.join(source, name), path.join(copy, name));
  // The binary holds V8 and more: their licences go where it goes.
  for (const name of ['LICENSE', 'NOTICE']) await copyFile(path.join(repoDir, name), path.join(copy, name));
  return pack(copy, stagingDir);
}

async function packRoot(stagingDir: string): Promise<string> {
  await ensureDist();
  const listing = await npm(['pack', '--dry-run', '--json', '--ignore-scripts'], repoDir);
  const [report] = JSON.parse(listing) as [{ files: { path: string }[] }];
  const copy = path.join(stagingDir, 'root');
  for (const { path: file } of report.files) {
    if (file.endsWith('.node'))
      throw new Error(`the root package would carry ${file}: see "files" in package.json`);
    await mkdir(path.dirname(path.join(copy, file)), { recursive: true });
    await copyFile(path.join(repoDir, file), path.join(copy, file));
  }
  // These fields are for this repository; a user's npm must neither run nor resolve anything of them.
  const { scripts: _scripts, devDependencies: _development, ava: _ava, ...published } = readManifest(repoDir);
  const optionalDependencies: Record<string, string> = {};
  for (const platform of readdirSync(path.join(repoDir, 'npm')).sort()) {
    const { name } = readManifest(path.join(repoDir, 'npm', platform));
    optionalDependencies[name] = published.version;
  }
  const manifest: Manifest = { ...published, optionalDependencies };
  await writeFile(path.join(copy, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return pack(copy, stagingDir);
}

/** Packs a folder and gives the tarball's path. */
async function pack(dir: string, stagingDir: string): Promise<string> {
  say(`packing ${readManifest(dir).name}`);
  const report = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', stagingDir], dir);
  const [{ filename }] = JSON.parse(report) as [{ filename: string }];
  return path.join(stagingDir, filename);
}

async function main(): Promise<void> {
  const options = parseOptions();
  const { version } = readManifest(repoDir);
  const stagingDir = await mkdtemp(path.join(tmpdir(), 'isolane-pack-'));
  try {
    const tarballs: string[] = [];
    if (options.only !== 'platform') tarballs.push(await packRoot(stagingDir));
    if (options.only !== 'root') tarballs.push(await packPlatform(options, stagingDir, version));
    await mkdir(options.outDir, { recursive: true });
    for (const tarball of tarballs) {
      const target = path.join(options.outDir, path.basename(tarball));
      await copyFile(tarball, `${target}.tmp`);
      await rename(`${target}.tmp`, target);
      say(`${path.relative(process.cwd(), target)} (${megabytes(target)})`);
    }
  } finally {
    rmSync(stagingDir, { recursive: true, force: true });
  }
}

let stoppedBy: 'SIGINT' | 'SIGTERM' | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    stoppedBy ??= signal;
    stop.abort();
  });
}

main().catch((error: unknown) => {
  if (stoppedBy === undefined) {
    console.error(`pack-prebuilt: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  } else {
    process.exitCode = 128 + constants.signals[stoppedBy];
  }
});
