// Runs a script in a Node process of its own and says how it ended.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../..');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

export interface ChildOptions {
  /** The Node to run with; this one, unless said otherwise. */
  readonly node?: string;
  readonly format?: 'module' | 'commonjs';
  /** Sent once the child has written something. */
  readonly signal?: NodeJS.Signals;
}

/** The script sees the compiled package as `isolane`, by the package's own name. */
export async function runScript(script: string, options: ChildOptions = {}): Promise<Ended> {
  const began = performance.now();
  const args = [`--input-type=${options.format ?? 'module'}`, '--eval', script];
  const child = spawn(options.node ?? process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (output.stdout === '' && options.signal !== undefined) child.kill(options.signal);
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  return await new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...output, milliseconds: performance.now() - began });
    });
  });
}

/** The Node versions to test with that are installed here, by name. */
export function installedNodes(): Map<string, string> {
  const nodes = new Map([[`Node ${process.version}`, process.execPath]]);
  for (const name of ['node-22', 'node-24']) {
    const binary = path.join(root, 'node_modules', name, 'bin', 'node');
    if (existsSync(binary)) nodes.set(name, binary);
  }
  return nodes;
}
