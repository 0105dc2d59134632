// Owns what waits for an answer of the host: promises of asynchronous operations and repeating callbacks.
// Ids are the host's, unique for the process; an answer whose id is not here is dropped.

const callbacksFamily = define('callbacks', { globals: {} }, () => {
  interface Waiting {
    resolve(value: unknown): void;
    reject(reason: unknown): void;
  }
  const waiting = new Map<number, Waiting>();
  const repeating = new Map<number, () => void>();
  const forgotten = new Map<number, () => void>();
  /** Gives a callback the asynchronous context of where it was handed over, once there can be one. */
  let carried: ((callback: () => void) => () => void) | null = null;
  const { get, has, set, delete: remove } = Map.prototype;
  const call = Function.prototype.call;
  const mapGet = call.bind(get) as <V>(map: Map<number, V>, id: number) => V | undefined;
  const mapHas = call.bind(has) as <V>(map: Map<number, V>, id: number) => boolean;
  const mapSet = call.bind(set) as <V>(map: Map<number, V>, id: number, value: V) => void;
  const mapDelete = call.bind(remove) as <V>(map: Map<number, V>, id: number) => void;

  /** The answer of the asynchronous host operation `id`. */
  function wait<T>(id: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      mapSet(waiting, id, { resolve: resolve as (value: unknown) => void, reject });
    });
  }

  /** Has what is to be called go through `wrap` from now on. */
  function carry(wrap: (callback: () => void) => () => void): void {
    carried = wrap;
  }

  /** Calls `callback` each time the host fires `id`, until `off(id)`. */
  function on(id: number, callback: () => void): void {
    mapSet(repeating, id, carried === null ? callback : carried(callback));
  }

  function off(id: number): void {
    mapDelete(repeating, id);
    mapDelete(forgotten, id);
  }

  /** Whether `id` has a callback. */
  function isOn(id: number): boolean {
    return mapHas(repeating, id);
  }

  /** Calls `callback` when `id` ends with its request, unless `off(id)` comes before. */
  function onForget(id: number, callback: () => void): void {
    mapSet(forgotten, id, callback);
  }

  /** Forgets `id`, which has ended with its request; its promise stays pending. */
  function forget(id: number): void {
    const callback = mapGet(forgotten, id);
    mapDelete(waiting, id);
    off(id);
    if (callback !== undefined) callback();
  }

  function settle(id: number, fulfilled: boolean, value: unknown): void {
    const entry = mapGet(waiting, id);
    if (entry === undefined) return;
    mapDelete(waiting, id);
    if (fulfilled) entry.resolve(value);
    else entry.reject(value);
  }

  function fire(id: number): void {
    const callback = mapGet(repeating, id);
    if (callback !== undefined) callback();
  }

  return { wait, carry, on, off, isOn, onForget, forget, settle, fire };
});
interface Callbacks extends FamilyOf<typeof callbacksFamily> {}
