// Owns the ArrayBuffer constructor: the native one, but that a resizable buffer may not be made larger than
// the worker's buffers may be, because V8 asks nobody when such a buffer grows. Runs on the isolate's thread.

interface Host {
  /** How many bytes of buffers the worker may have. */
  bufferLimit(): number;
}

const arrayBufferFamily = define('array_buffer', { globals: {} }, (_use, host) => {
  const Native = globalThis.ArrayBuffer;
  const { construct, defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
  const { trunc } = Math;

  /** ECMA-262's ToIndex; values that are no index are left to the native constructor to refuse. */
  function toIndex(value: unknown): number {
    return trunc(+(value as number)) || 0;
  }

  function bounded(maxByteLength: number): number {
    if (maxByteLength > host.bufferLimit()) throw new RangeError('Array buffer allocation failed');
    return maxByteLength;
  }

  const constructor = {
    ArrayBuffer: function (this: unknown, length: unknown): object {
      if (new.target === undefined) throw new TypeError("Constructor ArrayBuffer requires 'new'");
      const options: unknown = arguments[1];
      if (typeof options !== 'object' && typeof options !== 'function')
        return construct(Native, [length], new.target);
      const byteLength = toIndex(length);
      const maxByteLength = (options as { maxByteLength?: unknown } | null)?.maxByteLength;
      if (maxByteLength === undefined) return construct(Native, [byteLength], new.target);
      const bounds = { __proto__: null, maxByteLength: bounded(toIndex(maxByteLength)) };
      return construct(Native, [byteLength, bounds], new.target);
    },
  }.ArrayBuffer;

  for (const key of ownKeys(Native)) {
    defineProperty(constructor, key, getOwnPropertyDescriptor(Native, key)!);
  }
  defineProperty(Native.prototype, 'constructor', {
    value: constructor,
    writable: true,
    enumerable: false,
    configurable: true,
  });
  defineProperty(globalThis, 'ArrayBuffer', {
    value: constructor,
    writable: true,
    enumerable: false,
    configurable: true,
  });
  return {};
});
interface Families {
  array_buffer: FamilyOf<typeof arrayBufferFamily>;
}
