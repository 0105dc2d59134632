// Owns the running of assertions inside of a guest, for tests of the web APIs.

import type { ExecutionContext } from 'ava';
import { Runtime } from '../../index.js';

/** What the assertions in guests' code use. */
const ASSERTIONS = `
function same(actual, expected, what = '') {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (!Object.is(actual, expected) && a !== b) throw new Error(what + ' expected ' + b + ', got ' + a);
}
function throws(name, body) {
  try { body(); } catch (error) { return same(error.name, name, error + ':'); }
  throw new Error('expected ' + name + ' of ' + body);
}
async function rejects(name, promise) {
  try { await promise; } catch (error) { return same(error.name, name, error + ':'); }
  throw new Error('expected a rejection with ' + name);
}
const task = () => new Promise((resolve) => setTimeout(resolve, 5));
`;

/** Runs the body of an async function in which nothing may throw. */
export async function passes(t: ExecutionContext, body: string): Promise<void> {
  await using runtime = new Runtime({ limits: { cpuMs: 10_000 } });
  await t.notThrowsAsync(runtime.evaluate(`${ASSERTIONS}\n(async () => {${body}\n})()`));
}
