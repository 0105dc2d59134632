// Owns structured cloning to and from bytes, in V8's wire format as the isolates write it.

import { Deserializer, Serializer } from 'node:v8';

/** A value from bytes that an isolate wrote. */
export function decodeClone(bytes: Uint8Array): unknown {
  // The base class: Node's own `deserialize` has another format for typed arrays.
  const deserializer = new Deserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue();
}

/** A value as bytes that an isolate can read. Throws where the value cannot be cloned. */
export function encodeClone(value: unknown): Uint8Array {
  const serializer = new Serializer();
  serializer.writeHeader();
  serializer.writeValue(value);
  return serializer.releaseBuffer();
}
