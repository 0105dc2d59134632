// Owns what is written down of a run: the curves, and the machine and command that they are of.

import { availableParallelism, cpus, release, totalmem, type } from 'node:os';

export interface Curve {
  readonly title: string;
  /** What grows from left to right. */
  readonly x: string;
  readonly unit: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Scale {
  readonly date: string;
  readonly command: string;
  readonly machine: {
    readonly processor: string;
    readonly processors: number;
    readonly memoryGiB: number;
    readonly system: string;
  };
  readonly curves: readonly Curve[];
}

export function scaleOf(curves: readonly Curve[], command: string): Scale {
  return {
    date: new Date().toISOString().slice(0, 10),
    command,
    machine: {
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      processors: availableParallelism(),
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `${type()} ${release()}`,
    },
    curves,
  };
}
