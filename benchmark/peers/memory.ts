// Owns the measuring of memory, by what Linux says of a process.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What processes hold, in bytes, once garbage is collected. Pages that they share count once in the sum. */
export async function residentBytes(processIds: readonly number[]): Promise<number> {
  globalThis.gc?.();
  await sleep(300);
  globalThis.gc?.();
  await sleep(100);
  return processIds.map(proportionalBytes).reduce((sum, bytes) => sum + bytes, 0);
}

function proportionalBytes(processId: number): number {
  return kibibytes(`/proc/${processId}/smaps_rollup`, 'Pss') * 1024;
}

/** What a machine can still give, in bytes. */
export function availableBytes(): number {
  return kibibytes('/proc/meminfo', 'MemAvailable') * 1024;
}

function kibibytes(file: string, field: string): number {
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${field}:`));
  if (line === undefined) throw new Error(`${file} has no ${field}`);
  return Number.parseInt(line.slice(field.length + 1), 10);
}
