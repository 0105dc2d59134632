// Owns what is written down of a run: the curves, and the machine and command that they are of.

import { type Machine, thisMachine } from '../machine.js';

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
  readonly machine: Machine;
  readonly curves: readonly Curve[];
}

export function scaleOf(curves: readonly Curve[], command: string): Scale {
  return {
    date: new Date().toISOString().slice(0, 10),
    command,
    machine: thisMachine(),
    curves,
  };
}
