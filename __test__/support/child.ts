// Runs a script in a Node process of its own and says how it ended.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';

const root = path.resolve(__dirname, '../..');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
  /** What its threads did, where it was still there some seconds after its signal. */
  readonly late?: string;
}

export interface ChildOptions {
  /** The Node to run with; this one, unless said otherwise. */
  readonly node?: string;
  readonly format?: 'module' | 'commonjs';
  /** Arguments for Node itself. */
  readonly nodeArguments?: readonly string[];
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Sent once the child has written something. */
  readonly signal?: NodeJS.Signals;
}

const asked = Number(process.env.ISOLANE_REPEAT);
const isRepeated = Number.isInteger(asked) && asked > 0;

/** A child that takes longer than this hangs. */
const LONGEST_MS = isRepeated ? 30 * 60_000 : 60_000;

/** A child that takes longer than this to end by a signal is looked at. */
const LATE_MS = 3000;

/** The names, states and places in the kernel of a process's threads, where the system tells. */
function threadsOf(pid: number | undefined): string {
  const read = (file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/task/${file}`, 'utf8').trim();
    } catch {
      return '?';
    }
  };
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.map((id) => `${read(`${id}/stat`)} in ${read(`${id}/wchan`)}`).join('\n');
  } catch {
    return '';
  }
}

/** How often a concurrent case runs: as often as `ISOLANE_REPEAT` says, else `usually`. */
export function repeats(usually: number): number {
  return isRepeated ? asked : usually;
}

/**
 * Runs a script that has to end well, without a word on stderr, and gives what its last line of output says
 * as JSON.
 */
export async function runForAnswer(
  t: ExecutionContext,
  script: string,
  options: ChildOptions = {},
): Promise<unknown> {
  const { code, signal, stdout, stderr } = await runScript(script, options);
  t.deepEqual({ code, signal, stderr: stderr.slice(0, 4000) }, { code: 0, signal: null, stderr: '' }, stdout);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}

/** The script sees the compiled package as `isolane`, by the package's own name. */
export async function runScript(script: string, options: ChildOptions = {}): Promise<Ended> {
  const began = performance.now();
  const inputType = `--input-type=${options.format ?? 'module'}`;
  const args = [...(options.nodeArguments ?? []), inputType, '--eval', script];
  const child = spawn(options.node ?? process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: { stdout: string; stderr: string; late?: string } = { stdout: '', stderr: '' };
  let lateness: NodeJS.Timeout | undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (output.stdout === '' && options.signal !== undefined) {
      child.kill(options.signal);
      lateness = setTimeout(() => {
        output.late = threadsOf(child.pid);
      }, LATE_MS);
    }
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  return await new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      clearTimeout(lateness);
      resolve({ code, signal, ...output, milliseconds: performance.now() - began });
    });
  });
}

const nodesDir = path.join(root, '__test__/nodes');

/** The Node versions to test with, by name: this one, and those of `__test__/nodes` where they can be had. */
export function nodes(): Map<string, string> {
  const found = new Map([[`Node ${process.version}`, process.execPath]]);
  if (!existsSync(path.join(nodesDir, 'node_modules'))) {
    console.log('Installing other versions of Node into __test__/nodes …');
    const { status } = spawnSync('npm', ['run', '--silent', 'test:nodes'], {
      cwd: root,
      stdio: 'inherit',
      shell: true,
    });
    if (status !== 0) console.log('That failed: only this Node is tested.');
  }
  for (const name of ['node-22', 'node-24']) {
    const binary = path.join(nodesDir, 'node_modules', name, 'bin', 'node');
    if (existsSync(binary)) found.set(name, binary);
  }
  return found;
}
