// Owns what buffers and views of them are by their internal slots, whatever a guest has put over their
// properties. Runs on the isolate's thread.

const bufferFactsFamily = define('buffer_facts', {}, (use) => {
  const { typedArrayName } = use('webidl');

  /** The getter of an accessor of the language. */
  function getterOf(holder: object, name: string): () => unknown {
    return Object.getOwnPropertyDescriptor(holder, name)!.get!;
  }

  const bufferGetters = {
    detached: getterOf(ArrayBuffer.prototype, 'detached'),
    byteLength: getterOf(ArrayBuffer.prototype, 'byteLength'),
    maxByteLength: getterOf(ArrayBuffer.prototype, 'maxByteLength'),
    resizable: getterOf(ArrayBuffer.prototype, 'resizable'),
  };

  function bufferFacts(buffer: ArrayBuffer) {
    return {
      detached: Reflect.apply(bufferGetters.detached, buffer, []) as boolean,
      byteLength: Reflect.apply(bufferGetters.byteLength, buffer, []) as number,
      maxByteLength: Reflect.apply(bufferGetters.maxByteLength, buffer, []) as number,
      resizable: Reflect.apply(bufferGetters.resizable, buffer, []) as boolean,
    };
  }

  const typedArray = Object.getPrototypeOf(Uint8Array).prototype;
  const typedArrayGetters = viewGetters(typedArray);
  const dataViewGetters = viewGetters(DataView.prototype);

  function viewGetters(prototype: object) {
    return {
      buffer: getterOf(prototype, 'buffer'),
      byteOffset: getterOf(prototype, 'byteOffset'),
      byteLength: getterOf(prototype, 'byteLength'),
    };
  }

  type ViewType = new (buffer: ArrayBuffer, byteOffset: number, length?: number) => ArrayBufferView;

  function viewFacts(value: ArrayBufferView) {
    const name = typedArrayName(value);
    const getters = name === undefined ? dataViewGetters : typedArrayGetters;
    const buffer = Reflect.apply(getters.buffer, value, []) as ArrayBuffer;
    const Type = typeOfView(name);
    const elementSize = 'BYTES_PER_ELEMENT' in Type ? (Type.BYTES_PER_ELEMENT as number) : 1;
    try {
      const byteOffset = Reflect.apply(getters.byteOffset, value, []) as number;
      const byteLength = Reflect.apply(getters.byteLength, value, []) as number;
      // A typed array that is out of bounds answers zeros, a DataView throws.
      const outOfBounds = byteLength === 0 && name !== undefined && isOutOfBounds(value);
      return { buffer, Type, elementSize, byteOffset, byteLength, outOfBounds };
    } catch {
      return { buffer, Type, elementSize, byteOffset: 0, byteLength: 0, outOfBounds: true };
    }
  }

  const iterateTypedArray = typedArray.values as () => unknown;

  function isOutOfBounds(value: ArrayBufferView): boolean {
    try {
      Reflect.apply(iterateTypedArray, value, []);
      return false;
    } catch {
      return true;
    }
  }

  let viewTypes: Map<string, ViewType> | undefined;

  function typeOfView(name: string | undefined): ViewType {
    if (name === undefined) return DataView;
    viewTypes ??= new Map(
      [
        Int8Array,
        Uint8Array,
        Uint8ClampedArray,
        Int16Array,
        Uint16Array,
        Int32Array,
        Uint32Array,
        Float16Array,
        Float32Array,
        Float64Array,
        BigInt64Array,
        BigUint64Array,
      ].map((Type) => [Type.name, Type as ViewType]),
    );
    return viewTypes.get(name)!;
  }

  return { getterOf, bufferFacts, viewFacts };
});
interface Families {
  buffer_facts: FamilyOf<typeof bufferFactsFamily>;
}
