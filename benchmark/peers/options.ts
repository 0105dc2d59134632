// Owns the command's options: what may be given, and what is said where something else is.

import { parseArgs } from 'node:util';
import { CASE_NAMES, type CaseName } from './cases.js';
import { PEER_NAMES, type PeerName } from './peer.js';

export interface Options {
  readonly only: readonly PeerName[];
  readonly cases: readonly CaseName[];
  readonly rounds: number;
  readonly smoke: boolean;
  /** Where the results go; nothing is written where it is undefined. */
  readonly out: string | undefined;
  readonly help: boolean;
}

export class OptionError extends Error {}

export const USAGE = `npm run bench:peers -- [options]

  --only=NAMES    peers, by their names with commas between them: ${PEER_NAMES.join(', ')}
  --cases=NAMES   cases, or groups of them by the first word: ${CASE_NAMES.join(', ')}
  --rounds=N      how often each case is run for each peer, 3 (the least) unless given
  --smoke         a few iterations of everything, once: whether it works, not how fast
  --out=FILE      where the results go. Without it a complete run writes benchmark/results/peers.json and
                  draws benchmark/results/peers.svg, and any other run writes nothing
`;

const LEAST_ROUNDS = 3;

const KNOWN = {
  only: { type: 'string' },
  cases: { type: 'string' },
  rounds: { type: 'string' },
  smoke: { type: 'boolean', default: false },
  out: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

export function readOptions(parameters: string[], completeOut: string): Options {
  const values = parsed(parameters);
  const { smoke, help } = values;
  const only = values.only === undefined ? PEER_NAMES : listed('--only', values.only, PEER_NAMES, exactly);
  const cases =
    values.cases === undefined ? CASE_NAMES : listed('--cases', values.cases, CASE_NAMES, orFirstWord);
  const complete = !smoke && only.length === PEER_NAMES.length && cases.length === CASE_NAMES.length;
  const out = values.out ?? (complete ? completeOut : undefined);
  return { only, cases, rounds: smoke ? 1 : rounds(values.rounds), smoke, out, help };
}

function parsed(parameters: string[]) {
  try {
    return parseArgs({ args: parameters, options: KNOWN, strict: true }).values;
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error));
  }
}

function rounds(given: string | undefined): number {
  if (given === undefined) return LEAST_ROUNDS;
  const count = Number(given);
  if (Number.isInteger(count) && count >= LEAST_ROUNDS) return count;
  throw new OptionError(`--rounds takes a whole number of at least ${LEAST_ROUNDS}, not '${given}'`);
}

type Matches = (name: string, word: string) => boolean;

const exactly: Matches = (name, word) => name === word;
const orFirstWord: Matches = (name, word) => name === word || name.split('-')[0] === word;

function listed<Name extends string>(
  option: string,
  given: string,
  names: readonly Name[],
  matches: Matches,
): Name[] {
  const words = given.split(',').map((word) => word.trim());
  const unknown = words.find((word) => !names.some((name) => matches(name, word)));
  if (unknown !== undefined) throw new OptionError(`${option}: '${unknown}' is none of ${names.join(', ')}`);
  return names.filter((name) => words.some((word) => matches(name, word)));
}
