// Draws the chart of results that are there already: from benchmark/results/peers.json, or from the file named.
//
//   node --import tsx benchmark/peers/draw.ts [FILE.json]

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { chartOf } from './chart.js';
import type { Results } from './results.js';

const file = process.argv[2] ?? path.resolve(import.meta.dirname, '../results/peers.json');
const results = JSON.parse(readFileSync(file, 'utf8')) as Results;
writeFileSync(file.replace(/(\.json)?$/, '.svg'), chartOf(results));
