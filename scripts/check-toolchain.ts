// Says in words what is missing before cargo says it in a page: run first by whatever builds the addon.
//
//   node --import tsx scripts/check-toolchain.ts
//
// The oldest Rust that will do is `rust-version` of Cargo.toml; it is written nowhere else.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const repoDir = path.resolve(__dirname, '..');

/** Why the addon cannot be built on this machine, or null where it can. */
export function toolchainProblem(): string | null {
  const needed = requiredRustVersion();
  for (const tool of ['cargo', 'rustc']) {
    const version = installedVersion(tool);
    if (version === null) {
      return (
        `${tool} was not found. Isolane's native addon is written in Rust: install Rust ${needed} or newer ` +
        `with rustup, open a new terminal so that it is on the PATH, and run the command again.`
      );
    }
    if (isOlder(version, needed)) {
      return `${tool} is ${version}, and Isolane needs ${needed} or newer: run \`rustup update stable\`.`;
    }
  }
  return null;
}

/** Ends the process with a message where the addon cannot be built. */
export function requireToolchain(): void {
  const problem = toolchainProblem();
  if (problem === null) return;
  console.error(`\n  ${problem}\n`);
  process.exit(1);
}

function requiredRustVersion(): string {
  const manifest = readFileSync(path.join(repoDir, 'Cargo.toml'), 'utf8');
  const match = /^rust-version\s*=\s*"([\d.]+)"/m.exec(manifest);
  if (match?.[1] === undefined) throw new Error('Cargo.toml has no rust-version');
  return match[1];
}

function installedVersion(tool: string): string | null {
  // In the repository's folder, so that rustup applies what is set for it.
  const { stdout, status } = spawnSync(tool, ['--version'], { cwd: repoDir, encoding: 'utf8' });
  if (status !== 0) return null;
  return /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? null;
}

function isOlder(version: string, needed: string): boolean {
  const [have, want] = [version, needed].map((text) => text.split('.').map(Number)) as [number[], number[]];
  for (let i = 0; i < 3; i++) {
    const difference = (have[i] ?? 0) - (want[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

if (require.main === module) requireToolchain();
