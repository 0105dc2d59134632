// Owns how figures are computed and shown: quantiles, times for people, tables.

/** The value below which a share of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** A time in microseconds, for people. */
export function microseconds(time: number): string {
  if (time >= 10_000) return `${(time / 1000).toFixed(1)} ms`;
  if (time >= 1000) return `${(time / 1000).toFixed(2)} ms`;
  return time >= 100 ? `${time.toFixed(0)} µs` : `${time.toFixed(1)} µs`;
}

/** Rows as aligned columns, the first row as a heading. */
export function table(rows: readonly string[][]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  const line = (row: readonly string[]) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd();
  const [heading = [], ...others] = rows;
  const rule = widths.map((width) => '─'.repeat(width));
  return [line(heading), line(rule), ...others.map(line)].join('\n');
}
