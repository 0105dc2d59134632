// Owns what a driver starts beside itself: child processes, which end with it, and a folder for their files.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';

const running = new Set<ChildProcess>();
let folder: string | undefined;

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

export function start(
  command: string,
  parameters: readonly string[],
  options: SpawnOptions,
): ChildProcess & { readonly pid: number } {
  const child = spawn(command, parameters, options);
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.on('error', (error) => {
    throw error;
  });
  if (child.pid === undefined) throw new Error(`${command} did not start`);
  return Object.assign(child, { pid: child.pid });
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** The numbers that a pattern's first group finds in what a child writes, until there are enough. */
export function numbersIn(
  child: ChildProcess,
  output: Readable,
  pattern: RegExp,
  count = 1,
): Promise<number[]> {
  return new Promise((resolve, reject) => {
    let text = '';
    output.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const found = [...text.matchAll(pattern)].map((match) => Number(match[1]));
      if (found.length >= count) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`a child process ended with ${code}: ${text}`)));
  });
}

/** A file in a folder of this process, which is removed at its end. */
export function temporaryFile(name: string, content: string): string {
  const file = path.join(temporaryFolder(), name);
  writeFileSync(file, content);
  return file;
}

export function temporaryFolder(): string {
  folder ??= mkdtempSync(path.join(tmpdir(), 'isolane-peers-'));
  return folder;
}
