// Owns what is written down: the rounds' figures, their medians, and the machine and versions they are of.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Machine, thisMachine } from '../machine.js';
import { quantile } from '../report.js';
import { CASES, type CaseName, type FigureName } from './cases.js';
import type { Line } from './drive.js';
import { PEERS, type PeerEntry, type PeerName } from './peer.js';

export interface Figure {
  readonly peer: PeerName;
  readonly case: CaseName;
  readonly figure: FigureName;
  readonly median: number;
  readonly rounds: readonly number[];
}

export interface Skip {
  readonly peer: PeerName;
  readonly case: CaseName;
  readonly reason: string;
}

export interface Results {
  readonly date: string;
  readonly command: string;
  readonly machine: Machine;
  readonly node: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  /** The most that waited for a processor, on average over a minute, when a round began. */
  readonly highestLoad: number;
  readonly figures: readonly Figure[];
  readonly skipped: readonly Skip[];
}

export interface Run {
  readonly lines: readonly Line[];
  readonly command: string;
  readonly node: string;
  readonly rounds: number;
  readonly highestLoad: number;
  readonly peers: readonly PeerName[];
}

export function resultsOf({ lines, command, node, rounds, highestLoad, peers }: Run): Results {
  return {
    date: new Date().toISOString().slice(0, 10),
    command,
    machine: thisMachine(),
    node,
    versions: versions(peers),
    rounds,
    highestLoad: Math.round(highestLoad * 100) / 100,
    figures: figuresOf(lines),
    skipped: skipsOf(lines),
  };
}

type FigureLine = Extract<Line, { figure: FigureName }>;

function figuresOf(lines: readonly Line[]): Figure[] {
  const found = new Map<string, { line: FigureLine; rounds: number[] }>();
  for (const line of lines) {
    if (!('figure' in line)) continue;
    const key = `${line.case} ${line.peer} ${line.figure}`;
    const entry: { line: FigureLine; rounds: number[] } = found.get(key) ?? { line, rounds: [] };
    entry.rounds.push(Math.round(line.value * 100) / 100);
    found.set(key, entry);
  }
  return [...found.values()].map(({ line, rounds }) => ({
    peer: line.peer,
    case: line.case,
    figure: line.figure,
    median: median(rounds),
    rounds,
  }));
}

/** Each once, although every round said so. */
function skipsOf(lines: readonly Line[]): Skip[] {
  const found = new Map<string, Skip>();
  for (const line of lines) {
    if (!('skipped' in line)) continue;
    found.set(`${line.case} ${line.peer}`, { peer: line.peer, case: line.case, reason: line.skipped });
  }
  return [...found.values()];
}

function median(values: readonly number[]): number {
  if (values.length % 2 === 1) return quantile(values, 0.5);
  const sorted = [...values].sort((a, b) => a - b);
  const above = sorted.length / 2;
  return ((sorted[above - 1] as number) + (sorted[above] as number)) / 2;
}

/** The versions that were measured: Isolane's, and those of the installed packages. */
function versions(peers: readonly PeerName[]): Record<string, string> {
  const here = import.meta.dirname;
  const packages = peers.flatMap((peer) => (PEERS[peer] as PeerEntry).packages);
  const installed = packages.map((name): [string, string] => [
    name,
    versionIn(path.join(here, 'node_modules', name, 'package.json')),
  ]);
  return { isolane: versionIn(path.join(here, '../../package.json')), ...Object.fromEntries(installed) };
}

function versionIn(file: string): string {
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** A row of the table: one figure of one case. */
export interface Row {
  readonly case: CaseName;
  readonly figure: FigureName;
  readonly title: string;
  readonly values: ReadonlyMap<PeerName, number>;
}

const FIGURE_TITLES: Readonly<Record<FigureName, string>> = {
  p50Us: 'p50',
  p99Us: 'p99',
  requestsPerSecond: 'requests/s',
  bytesPerTenant: '',
};

export function rowsOf({ figures }: Results): Row[] {
  const names = Object.keys(CASES) as CaseName[];
  return names.flatMap((name) =>
    CASES[name].figures.flatMap((figure): Row[] => {
      const of = figures.filter((one) => one.case === name && one.figure === figure);
      if (of.length === 0) return [];
      const title = [CASES[name].title, FIGURE_TITLES[figure]].filter(Boolean).join(', ');
      return [{ case: name, figure, title, values: new Map(of.map(({ peer, median }) => [peer, median])) }];
    }),
  );
}

/** How many times better Isolane is than a peer: below 1 the peer leads. */
export function ratio(figure: FigureName, isolane: number, peer: number): number {
  return figure === 'requestsPerSecond' ? isolane / peer : peer / isolane;
}
