// Owns what the charts have in common.

/** A line of text, at a place in pixels, of one of the chart's classes. */
export function text(x: number, y: number, kind: string, content: string): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text class="${kind}" x="${x}" y="${y}">${escaped}</text>`;
}
