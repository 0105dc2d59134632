// Owns the functions of the host that native code may ask for: host functions of `env`, outbound
// handlers, log handlers. Each crosses as a number. Native code says when it has dropped its last
// reference to one, so none is kept longer than what it was given for.

type AnyFunction = (...args: never[]) => unknown;

const functions = new Map<number, AnyFunction>();
let lastNumber = 0;

/** Keeps a function until native code releases the number. */
export function registerFunction(fn: AnyFunction): number {
  lastNumber += 1;
  functions.set(lastNumber, fn);
  return lastNumber;
}

/** The function behind a number. */
export function registeredFunction<F extends AnyFunction>(number: number): F | undefined {
  return functions.get(number) as F | undefined;
}

/** Forgets a function that native code has dropped. */
export function releaseFunction(number: number): void {
  functions.delete(number);
}
