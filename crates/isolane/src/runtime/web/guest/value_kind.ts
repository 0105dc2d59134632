// Owns the numbers by which the native side tells what an object is (inspect.rs, ValueKind), whatever
// its prototype says. Runs on the isolate's thread.

interface Host {
  /** The kind of an object by its internal slots; runs no guest code, not even a proxy's. */
  valueKind(value: object): number;
  /**
   * What the internal slots of an object hold. A proxy: target and handler, null when revoked. A promise:
   * 0 pending, 1 fulfilled, 2 rejected, and its result. A collection or an iterator of one: whether the
   * entries are keys and values in turn, and the entries.
   */
  valueDetails(value: object): [unknown, unknown] | undefined;
}

const valueKindFamily = define('value_kind', {}, () => ({
  Kind: {
    Ordinary: 0,
    Array: 1,
    Function: 2,
    Error: 3,
    Map: 4,
    Set: 5,
    Date: 6,
    RegExp: 7,
    ArrayBuffer: 8,
    SharedArrayBuffer: 9,
    View: 10,
    Boxed: 11,
    Promise: 12,
    WeakMap: 13,
    WeakSet: 14,
    Generator: 15,
    MapIterator: 16,
    SetIterator: 17,
    Proxy: 18,
    ModuleNamespace: 19,
    Arguments: 20,
    Wasm: 21,
    External: 22,
  } as const,
}));
interface Families {
  value_kind: FamilyOf<typeof valueKindFamily>;
}
