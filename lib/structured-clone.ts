// Owns structured cloning to and from bytes, in V8's wire format as the isolates write it.

import { Deserializer, Serializer } from 'node:v8';
import { readShort, writeShort } from './short-clone.js';
import { WorkerError } from './worker-error.js';

/** Where the format's version stands, after the tag that announces it. */
const VERSION_AT = 1;

/** The newest version that is known here. All that 16 adds to 15 is lengths beyond 32 bits. */
const LARGE_LENGTHS = 16;

/** The version that this Node's V8 writes, which is the newest that it reads. */
const OWN_VERSION = ownVersion();

function ownVersion(): number {
  const serializer = new Serializer();
  serializer.writeHeader();
  return serializer.releaseBuffer()[VERSION_AT] ?? 0;
}

/** A value from bytes that an isolate wrote, which may come as a string of a character a byte. */
export function decodeClone(cloned: Uint8Array | string): unknown {
  if (typeof cloned === 'string') {
    const short = readShort(cloned);
    if (short !== undefined) return short[0];
  }
  const bytes = typeof cloned === 'string' ? Buffer.from(cloned, 'latin1') : cloned;
  // Nothing that fits into `bytes` is that long, so to an older V8 the version before reads the same.
  if (bytes[VERSION_AT] === LARGE_LENGTHS && OWN_VERSION === LARGE_LENGTHS - 1)
    bytes[VERSION_AT] = OWN_VERSION;
  // The base class: Node's own `deserialize` has another format for typed arrays.
  const deserializer = new Deserializer(bytes);
  try {
    deserializer.readHeader();
    return deserializer.readValue();
  } catch (error) {
    const message = `the value holds what Node ${process.version} cannot clone`;
    const guest = { name: 'DataCloneError', message, stack: '' };
    throw new WorkerError({ code: 'ERR_WORKER_EXCEPTION', message, guest }, { cause: error });
  }
}

/** A value as bytes that an isolate can read, or as a string of a character a byte. Throws where it cannot be cloned. */
export function encodeClone(value: unknown): Uint8Array | string {
  const short = writeShort(value);
  if (short !== undefined) return short;
  const serializer = new Serializer();
  serializer.writeHeader();
  serializer.writeValue(value);
  return serializer.releaseBuffer();
}
