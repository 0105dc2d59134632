// Owns the chart that the README shows: an SVG of a panel for each of the cases that matter most, in which the
// peers are ordered from best to worst. Scales are logarithmic, because the peers are orders of magnitude apart.

import { text } from '../svg.js';
import type { CaseName, FigureName } from './cases.js';
import type { PeerName } from './peer.js';
import { amount } from './ratios.js';
import { type Results, type Row, rowsOf } from './results.js';

interface Panel {
  readonly case: CaseName;
  readonly figure: FigureName;
  readonly title: string;
}

const PANELS: readonly Panel[] = [
  { case: 'warm', figure: 'p50Us', title: 'Warm request, median' },
  { case: 'warm', figure: 'p99Us', title: 'Warm request, 99th percentile' },
  { case: 'rate-64', figure: 'requestsPerSecond', title: 'Requests a second, 64 callers' },
  { case: 'cold', figure: 'p50Us', title: 'New tenant to its first answer' },
  { case: 'idle-100', figure: 'bytesPerTenant', title: 'Memory of an idle tenant' },
  { case: 'download', figure: 'p50Us', title: '1 MiB streamed from the worker' },
];

/** All in pixels. */
const WIDTH = 880;
const COLUMNS = 2;
const MARGIN = 16;
const GAP = 24;
const LINE = 20;
const TITLE = 36;
const NAME = 112;
const AMOUNT = 76;
const HEADING = 44;
const PANEL_WIDTH = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS;

const STYLE = `
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 13px; }
  .note { fill: #59636e; }
  .own { font-weight: 600; fill: #0969da; }
  .line { stroke: #d1d9e0; stroke-width: 2; }
  .dot { fill: #818b98; }
  .line-own { stroke: #0969da; stroke-width: 3; }
  .dot-own { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .note { fill: #9198a1; }
    .own { fill: #4493f8; }
    .line { stroke: #3d444d; }
    .dot { fill: #9198a1; }
    .line-own { stroke: #4493f8; }
    .dot-own { fill: #4493f8; }
  }`;

export function chartOf(results: Results): string {
  const rows = rowsOf(results);
  const panels = PANELS.flatMap((panel) => {
    const row = rows.find((one) => one.case === panel.case && one.figure === panel.figure);
    return row === undefined ? [] : [{ panel, row }];
  });
  let y = MARGIN + HEADING;
  const parts: string[] = [];
  for (let first = 0; first < panels.length; first += COLUMNS) {
    const beside = panels.slice(first, first + COLUMNS);
    for (const [column, { panel, row }] of beside.entries())
      parts.push(panelOf(panel, row, MARGIN + column * (PANEL_WIDTH + GAP), y));
    y += TITLE + Math.max(...beside.map(({ row }) => row.values.size)) * LINE + GAP;
  }
  const height = y - GAP + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Isolane and its peers">`,
    `<style>${STYLE}\n</style>`,
    text(MARGIN, MARGIN + 12, 'title', 'Isolane and its peers, the same worker on each'),
    text(MARGIN, MARGIN + 30, 'note', noteOf(results)),
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function noteOf({ machine, node, date, rounds }: Results): string {
  const times = rounds === 1 ? 'one round' : `medians of ${rounds} rounds`;
  return `best first, logarithmic scales; ${times}; ${machine.processors} × ${machine.processor}; Node ${node}; ${date}`;
}

function panelOf({ title, figure }: Panel, { values }: Row, x: number, y: number): string {
  const rising = figure === 'requestsPerSecond' ? -1 : 1;
  const ordered = [...values].sort(([, a], [, b]) => rising * (a - b));
  const place = scale(ordered.map(([, value]) => value));
  const lines = ordered.map(([peer, value], index) =>
    lineOf({ peer, label: amount(figure, value), x, y: y + TITLE + index * LINE, share: place(value) }),
  );
  return [text(x, y + 12, 'title', title), ...lines].join('\n');
}

/** Where a value is between a little less than the least and the greatest. */
function scale(values: readonly number[]): (value: number) => number {
  const positive = values.filter((value) => value > 0);
  const low = Math.log10(Math.min(...positive)) - 0.2;
  const high = Math.max(Math.log10(Math.max(...positive)), low + 1);
  return (value) => (value > 0 ? (Math.log10(value) - low) / (high - low) : 0);
}

interface Line {
  readonly peer: PeerName;
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly share: number;
}

function lineOf({ peer, label, x, y, share }: Line): string {
  const own = peer === 'isolane';
  const from = x + NAME;
  const to = from + share * (PANEL_WIDTH - NAME - AMOUNT);
  const middle = y - 4;
  return [
    text(x, y, own ? 'own' : 'name', own ? 'Isolane' : peer),
    `<line class="${own ? 'line-own' : 'line'}" x1="${from}" y1="${middle}" x2="${to.toFixed(1)}" y2="${middle}"/>`,
    `<circle class="${own ? 'dot-own' : 'dot'}" cx="${to.toFixed(1)}" cy="${middle}" r="4"/>`,
    text(Number((to + 10).toFixed(1)), y, own ? 'own' : 'name', label),
  ].join('\n');
}
