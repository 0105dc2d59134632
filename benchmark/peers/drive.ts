// A peer's process: runs one case of one peer, writes a line of JSON for each figure, and ends. Started by run.ts.
//
// It also ends when its standard input does, which is when the runner has gone.

import { parseArgs } from 'node:util';
import { CASES, type CaseName, type FigureName, FULL, SMOKE } from './cases.js';
import { PEERS, type PeerName } from './peer.js';

/** What a line says: a figure, or why there is none. */
export type Line =
  | { readonly peer: PeerName; readonly case: CaseName; readonly figure: FigureName; readonly value: number }
  | { readonly peer: PeerName; readonly case: CaseName; readonly skipped: string };

async function main(): Promise<void> {
  const text = { type: 'string', default: '' } as const;
  const { values } = parseArgs({
    options: { peer: text, case: text, smoke: { type: 'boolean', default: false } },
  });
  const peer = values.peer as PeerName;
  const name = values.case as CaseName;
  const write = (line: Line) => process.stdout.write(`${JSON.stringify(line)}\n`);

  const opened = await PEERS[peer].open();
  const skipped = opened.cannot[name];
  if (skipped !== undefined) write({ peer, case: name, skipped });
  else {
    const { figures, run } = CASES[name];
    const measured = await run(opened, values.smoke ? SMOKE : FULL);
    for (const figure of figures) {
      const value = measured[figure];
      if (value === undefined) throw new Error(`'${name}' gave no ${figure}`);
      write({ peer, case: name, figure, value });
    }
  }
  await opened.close();
}

process.stdin.on('end', () => process.exit(1)).resume();

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
