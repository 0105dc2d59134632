// Owns what a run prints: the table of ratios, how the peers compare, what was left out, and where Isolane
// does not lead.

import { microseconds, table } from '../report.js';
import { CASES, type FigureName } from './cases.js';
import { KINDS, PEERS, type PeerKind, type PeerName } from './peer.js';
import { REASONS } from './reasons.js';
import { type Results, type Row, ratio, rowsOf } from './results.js';

export function report(results: Results, peers: readonly PeerName[]): string {
  const rows = rowsOf(results);
  const others = peers.filter((peer) => peer !== 'isolane');
  const { machine, node, date } = results;
  return [
    `${machine.processors} × ${machine.processor}, ${machine.memoryGiB} GiB, ${machine.system}; Node ${node}; ${date}; load at most ${results.highestLoad}`,
    'How many times better Isolane is: above 1 it leads, below 1 the peer does.',
    table([['', 'Isolane', ...others], ...rows.map((row) => cells(row, others))]),
    section('What a call has in it, and how tenants are kept apart', kinds(peers)),
    section('Left out', leftOut(results)),
    section('Isolane does not lead', behind(rows, others)),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function cells(row: Row, others: readonly PeerName[]): string[] {
  const own = row.values.get('isolane');
  const ratios = others.map((peer) => {
    const value = row.values.get(peer);
    if (value === undefined) return '–';
    return own === undefined ? amount(row.figure, value) : times(ratio(row.figure, own, value));
  });
  return [row.title, own === undefined ? '–' : amount(row.figure, own), ...ratios];
}

/** A figure with its unit, for people. */
export function amount(figure: FigureName, value: number): string {
  if (figure === 'requestsPerSecond') return `${Math.round(value).toLocaleString('en')}/s`;
  if (figure !== 'bytesPerTenant') return microseconds(value);
  const kibibytes = value / 1024;
  return kibibytes < 1024 ? `${kibibytes.toFixed(0)} KiB` : `${(kibibytes / 1024).toFixed(1)} MiB`;
}

function times(factor: number): string {
  if (factor >= 10) return `${factor.toFixed(0)}×`;
  return `${factor.toFixed(factor >= 1 ? 1 : 2)}×`;
}

function section(heading: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${heading}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

function kinds(peers: readonly PeerName[]): string[] {
  const width = Math.max(...peers.map((peer) => peer.length));
  return (Object.keys(KINDS) as PeerKind[]).flatMap((kind) => {
    const of = peers.filter((peer) => PEERS[peer].kind === kind);
    if (of.length === 0) return [];
    return [`${KINDS[kind]}:`, ...of.map((peer) => `  ${peer.padEnd(width)}  ${PEERS[peer].apart}`)];
  });
}

/** By peer and reason, so that a reason that several cases share is said once. */
function leftOut({ skipped }: Results): string[] {
  const found = new Map<string, string[]>();
  for (const { peer, case: name, reason } of skipped) {
    const key = `${peer}: ${reason}`;
    found.set(key, [...(found.get(key) ?? []), name]);
  }
  return [...found].map(([key, cases]) => `${key} (${cases.join(', ')})`);
}

/** By peer and reason, with the cases and the ratio in each. */
function behind(rows: readonly Row[], others: readonly PeerName[]): string[] {
  const found = new Map<string, string[]>();
  for (const row of rows) {
    const own = row.values.get('isolane');
    if (own === undefined) continue;
    for (const peer of others) {
      const value = row.values.get(peer);
      if (value === undefined || ratio(row.figure, own, value) >= 1) continue;
      const key = `${peer}: ${REASONS[row.case]?.[peer] ?? 'no reason given'}`;
      const name = CASES[row.case].figures.length === 1 ? row.case : `${row.case} ${row.figure}`;
      found.set(key, [...(found.get(key) ?? []), `${name} ${times(ratio(row.figure, own, value))}`]);
    }
  }
  return [...found].map(([key, cases]) => `${key} (${cases.join(', ')})`);
}
