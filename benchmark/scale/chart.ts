// Owns the chart of the curves: an SVG with a panel for each, the x axis logarithmic and the y axis from zero.

import { text } from '../svg.js';
import type { Curve, Scale } from './curves.js';

/** All in pixels. */
const WIDTH = 880;
const COLUMNS = 2;
const MARGIN = 16;
const GAP = 32;
const HEADING = 44;
const TITLE = 28;
const PLOT = 110;
const TICKS = 36;
const LABEL = 64;
const PANEL_WIDTH = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS;
const PANEL_HEIGHT = TITLE + PLOT + TICKS + 16;

const STYLE = `
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .note { fill: #59636e; font-size: 11px; }
  .end { text-anchor: end; }
  .middle { text-anchor: middle; }
  .axis { stroke: #d1d9e0; }
  .curve { fill: none; stroke: #0969da; stroke-width: 2; }
  .dot { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .note { fill: #9198a1; }
    .axis { stroke: #3d444d; }
    .curve { stroke: #4493f8; }
    .dot { fill: #4493f8; }
  }`;

export function chartOf({ machine, date, curves }: Scale): string {
  const height = MARGIN + HEADING + Math.ceil(curves.length / COLUMNS) * PANEL_HEIGHT + MARGIN;
  const panels = curves.map((curve, index) =>
    panelOf(
      curve,
      MARGIN + (index % COLUMNS) * (PANEL_WIDTH + GAP),
      MARGIN + HEADING + Math.floor(index / COLUMNS) * PANEL_HEIGHT,
    ),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Isolane as it grows">`,
    `<style>${STYLE}\n</style>`,
    text(MARGIN, MARGIN + 12, 'title', 'Isolane as it grows'),
    text(
      MARGIN,
      MARGIN + 30,
      'note',
      `${machine.processors} × ${machine.processor}; ${machine.system}; ${date}`,
    ),
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function panelOf({ title, x: grows, unit, points }: Curve, left: number, top: number): string {
  const from = left + LABEL;
  const width = PANEL_WIDTH - LABEL;
  const base = top + TITLE + PLOT;
  const first = Math.log(points[0]?.[0] ?? 1);
  const last = Math.log(points.at(-1)?.[0] ?? 1);
  const highest = Math.max(...points.map(([, y]) => y));
  const places = points.map(([x, y]) => ({
    x,
    at: round(from + (last > first ? (Math.log(x) - first) / (last - first) : 0) * (width - 16) + 8),
    y: round(base - (highest > 0 ? y / highest : 0) * PLOT),
  }));
  return [
    text(left, top + 12, 'title', title),
    `<path class="axis" fill="none" d="M${from} ${top + TITLE}V${base}H${left + PANEL_WIDTH}"/>`,
    text(from - 6, top + TITLE + 10, 'note end', amount(highest)),
    text(from - 6, top + TITLE + 24, 'note end', unit),
    text(from - 6, base, 'note end', '0'),
    `<polyline class="curve" points="${places.map(({ at, y }) => `${at},${y}`).join(' ')}"/>`,
    ...places.map(({ at, y }) => `<circle class="dot" cx="${at}" cy="${y}" r="3"/>`),
    ...places.map(({ x, at }) => text(at, base + 16, 'note middle', x.toLocaleString('en'))),
    text(left + PANEL_WIDTH, base + 32, 'note end', grows),
  ].join('\n');
}

function amount(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}
