// Measures Isolane beside its peers, with the same worker on each and each in a process of its own.
//
//   npm run bench:peers                                     everything, three rounds
//   npm run bench:peers -- --only=isolane,workerd --cases=warm,rate
//   npm run bench:peers -- --smoke                          whether it works
//
// For each round and case the peers are run one after the other, so that what the machine does meanwhile
// falls on all of them. A line of JSON for each figure goes to standard output, all else to standard error.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import { chartOf } from './chart.js';
import { endWithRunner, runJob } from './children.js';
import type { Line } from './drive.js';
import { OptionError, type Options, readOptions, USAGE } from './options.js';
import { report } from './ratios.js';
import { resultsOf } from './results.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const NODE = path.join(import.meta.dirname, 'node_modules/node-24/bin/node');
const OUT = path.join(ROOT, 'benchmark/results/peers.json');

interface Measured {
  readonly lines: Line[];
  readonly failures: string[];
  readonly highestLoad: number;
}

async function measure({ only, cases, rounds, smoke }: Options): Promise<Measured> {
  const lines: Line[] = [];
  const failures: string[] = [];
  let highestLoad = 0;
  const jobs = rounds * cases.length * only.length;
  let done = 0;
  for (let round = 1; round <= rounds; round += 1) {
    highestLoad = Math.max(highestLoad, loadavg()[0] ?? 0);
    for (const name of cases) {
      for (const peer of only) {
        done += 1;
        process.stderr.write(`\r[${done}/${jobs}] round ${round}: ${name}, ${peer}\u001b[K`);
        try {
          const found = await runJob({ node: NODE, root: ROOT, peer, case: name, smoke });
          for (const line of found) console.log(JSON.stringify({ round, ...line }));
          lines.push(...found);
        } catch (error) {
          failures.push(`${peer}, ${name}: ${error instanceof Error ? error.message : error}`);
        }
      }
    }
  }
  process.stderr.write('\r\u001b[K');
  return { lines, failures, highestLoad };
}

/** The peers' packages, which nothing else needs, are installed when they are first used. */
function installPeers(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new OptionError('peers are measured on Linux x64');
  if (existsSync(NODE)) return;
  console.error('Installing the peers into benchmark/peers …');
  const parameters = [
    'install',
    '--prefix',
    'benchmark/peers',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const { status } = spawnSync('npm', parameters, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0 || !existsSync(NODE)) throw new Error('the peers could not be installed');
}

function write(file: string, content: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  console.error(`written: ${path.relative(process.cwd(), file)}`);
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), OUT);
  if (options.help) {
    console.log(USAGE);
    return;
  }
  endWithRunner();
  installPeers();
  const { lines, failures, highestLoad } = await measure(options);
  const node = spawnSync(NODE, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const given = process.argv.slice(2);
  const command = ['npm run bench:peers', ...(given.length === 0 ? [] : ['--', ...given])].join(' ');
  const results = resultsOf({
    lines,
    command,
    node,
    highestLoad,
    rounds: options.rounds,
    peers: options.only,
  });
  console.error(`\n${report(results, options.only)}\n`);
  if (options.out !== undefined) {
    write(options.out, `${JSON.stringify(results, null, 2)}\n`);
    write(options.out.replace(/(\.json)?$/, '.svg'), chartOf(results));
  }
  for (const failure of failures) console.error(`FAILED: ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof OptionError ? `bench:peers: ${error.message}\n\n${USAGE}` : error);
  process.exitCode = error instanceof OptionError ? 2 : 1;
});
