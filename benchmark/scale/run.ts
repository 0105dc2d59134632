// Measures how isolane holds as it grows, by the example of the crate that has the cases, and keeps the curves
// in benchmark/results/scale.json and scale.svg.
//
//   npm run bench:scale                 all curves
//   npm run bench:scale -- 1000         with at most 1,000 isolates (10,000 need 15 GiB, and on Linux
//                                       a vm.max_map_count of more than 100,000)

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { chartOf } from './chart.js';
import { type Curve, scaleOf } from './curves.js';

const most = process.argv.slice(2);
const output = execFileSync(
  'cargo',
  ['run', '--release', '--quiet', '-p', 'isolane', '--example', 'scale', '--', ...most],
  { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
);
const { curves } = JSON.parse(output) as { readonly curves: readonly Curve[] };
const scale = scaleOf(curves, ['npm run bench:scale', ...most.map((number) => `-- ${number}`)].join(' '));
const results = path.resolve(__dirname, '../results/scale');
writeFileSync(`${results}.json`, `${JSON.stringify(scale, undefined, 2)}\n`);
writeFileSync(`${results}.svg`, chartOf(scale));
