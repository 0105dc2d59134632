// Owns the peers' processes on the runner's side: one at a time, each in a process group of its own, so that
// what a peer has started ends with it, however the run ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { CaseName } from './cases.js';
import type { Line } from './drive.js';
import { PEERS, type PeerName } from './peer.js';

/** How long one case of one peer may take. */
const LONGEST_MS = 300_000;

const running = new Set<ChildProcess>();

/** Where the peers' processes put their files. They are ended without notice, so it is removed here. */
let folder: string | undefined;

/** Ends all that runs, at an interruption and at the runner's end. */
export function endWithRunner(): void {
  process.on('exit', () => {
    running.forEach(endGroup);
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  const signals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
  for (const [signal, code] of Object.entries(signals)) process.on(signal, () => process.exit(code));
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of the group is left.
  }
}

export interface Job {
  readonly node: string;
  readonly root: string;
  readonly peer: PeerName;
  readonly case: CaseName;
  readonly smoke: boolean;
}

/** Runs one case of one peer in a process of its own; its lines. */
export async function runJob({ node, root, peer, case: name, smoke }: Job): Promise<Line[]> {
  const flags = [...PEERS[peer].nodeFlags, '--expose-gc', '--import', 'tsx'];
  const parameters = ['benchmark/peers/drive.ts', `--peer=${peer}`, `--case=${name}`];
  folder ??= mkdtempSync(path.join(tmpdir(), 'isolane-peers-'));
  const child = spawn(node, [...flags, ...parameters, ...(smoke ? ['--smoke'] : [])], {
    cwd: root,
    detached: true,
    env: { ...process.env, TMPDIR: folder },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.add(child);
  const timer = setTimeout(endGroup, LONGEST_MS, child);
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      endGroup(child);
      resolve(String(signal ?? code));
    });
  });
  const [output, complaints, outcome] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  clearTimeout(timer);
  running.delete(child);
  if (outcome !== '0') throw new Error(`ended with ${outcome}\n${complaints.trim()}`);
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
}
