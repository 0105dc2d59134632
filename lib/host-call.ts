// Owns the calls that guests make to host functions of `env`: arguments and results cross by
// structured clone, errors by name and message.

import { registeredFunction } from './functions.js';
import type { Link } from './link.js';
import { decodeClone, encodeClone } from './structured-clone.js';

type GenericFunction = (...args: unknown[]) => unknown;

/** Calls the function and answers, whatever happens. */
export async function callHostFunction(
  link: Link,
  call: number,
  functionNumber: number,
  argumentBytes: Uint8Array | string,
): Promise<void> {
  try {
    const fn = registeredFunction<GenericFunction>(functionNumber);
    if (fn === undefined) throw new Error('The function is gone');
    const args = decodeClone(argumentBytes) as unknown[];
    link.deliver(link.connection.answerHostCall(call, encodeClone(await fn(...args))));
  } catch (error) {
    const { name, message } = nameAndMessage(error);
    link.connection.failHostCall(call, name, message);
  }
}

/** What a guest may learn of an error of the host: no stack, no other property. */
function nameAndMessage(error: unknown): { name: string; message: string } {
  try {
    if (error instanceof Error) return { name: String(error.name), message: String(error.message) };
    return { name: 'Error', message: String(error) };
  } catch {
    return { name: 'Error', message: 'The host function failed' };
  }
}
