// Owns a quick way through V8's wire format for short, plain values: primitives, arrays, and objects of the
// language's own prototype. They are read from and written to strings of a character a byte, which cross
// between native code and this thread for less than buffers do. What else there is goes through V8's own
// serializer (structured-clone.ts).

import { types } from 'node:util';

/** What is longer goes another way; native code has the same bound for what it sends (`delivery.rs`). */
const LONGEST = 1024;

/** More objects than this may be one object in several places, which is not looked for here. */
const MOST_OBJECTS = 16;

/** The tag of the format's version, and the version that all Node versions from 20 on read and write. */
const HEADER = '\xff\x0f';

/** In the place of a value: it is none for this file. */
const OTHER = Symbol('other');

const bits = new DataView(new ArrayBuffer(8));

// What is read or written at the moment, and where. Nothing here calls anything that could begin anew, but for
// the getters of values that are written: those leave off what they met.
let text = '';
let at = 0;
let objects: object[] = [];
let runs = 0;

/** Reads a value, and is `undefined` where it is not one of these; a value comes in an array of one. */
export function readShort(bytes: string): [unknown] | undefined {
  text = bytes;
  // The version: none that is known here writes these values in another way.
  at = HEADER.length;
  const value = bytes.charCodeAt(0) === 0xff ? readValue() : OTHER;
  return value === OTHER || at !== bytes.length ? undefined : [value];
}

function readValue(): unknown {
  for (;;) {
    const tag = text[at++];
    switch (tag) {
      case '\0':
        // Aligns what follows.
        continue;
      case '"':
        return readOneByteString();
      case 'c':
        return readTwoByteString();
      case 'I': {
        const folded = readNumber();
        return (folded >>> 1) ^ -(folded & 1);
      }
      case 'N':
        return readDouble();
      case '_':
        return undefined;
      case '0':
        return null;
      case 'T':
        return true;
      case 'F':
        return false;
      case 'A':
        return readArray();
      case 'o':
        return readObject();
      default:
        return OTHER;
    }
  }
}

/** A number of up to 32 bits; nonsense where the text ends in it, which shows at its end. */
function readNumber(): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = text.charCodeAt(at++);
    value |= (byte & 0x7f) << shift;
    if (!(byte & 0x80)) break;
  }
  return value >>> 0;
}

function readOneByteString(): string {
  const length = readNumber();
  at += length;
  return text.slice(at - length, at);
}

function readTwoByteString(): unknown {
  const length = readNumber();
  if (length % 2 !== 0) return OTHER;
  const end = at + length;
  let value = '';
  for (; at < end && at < text.length; at += 2) {
    value += String.fromCharCode(text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8));
  }
  at = end;
  return value;
}

function readDouble(): number {
  for (let byte = 0; byte < 8; byte += 1) bits.setUint8(byte, text.charCodeAt(at++));
  return bits.getFloat64(0, true);
}

function readArray(): unknown {
  const length = readNumber();
  const array: unknown[] = [];
  while (array.length < length) {
    const value = readValue();
    if (value === OTHER) return OTHER;
    array.push(value);
  }
  // Elements without a name are followed by named properties, which these arrays do not have.
  if (text[at++] !== '$') return OTHER;
  return readNumber() === 0 && readNumber() === length ? array : OTHER;
}

function readObject(): unknown {
  const object: Record<string, unknown> = {};
  let count = 0;
  for (; text[at] !== '{'; count += 1) {
    const key = readValue();
    // Set like the others, that one would change the prototype.
    if (typeof key !== 'string' || key === '__proto__' || Object.hasOwn(object, key)) return OTHER;
    const value = readValue();
    if (value === OTHER) return OTHER;
    object[key] = value;
  }
  at += 1;
  return readNumber() === count ? object : OTHER;
}

/** Writes a value, and is `undefined` where it is not one of these. */
export function writeShort(value: unknown): string | undefined {
  runs += 1;
  const run = runs;
  objects = [];
  const bytes = bytesOf(value);
  return bytes === undefined || bytes.length > LONGEST || run !== runs ? undefined : HEADER + bytes;
}

function bytesOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return stringBytes(value);
    case 'number':
      return numberBytes(value);
    case 'undefined':
      return '_';
    case 'boolean':
      return value ? 'T' : 'F';
    case 'object':
      return value === null ? '0' : objectBytes(value);
    default:
      return undefined;
  }
}

const NOT_ONE_BYTE = /[^\0-\xff]/;

function stringBytes(value: string): string | undefined {
  if (value.length > LONGEST || NOT_ONE_BYTE.test(value)) return undefined;
  return `"${unsignedBytes(value.length)}${value}`;
}

function numberBytes(value: number): string {
  const integer = value | 0;
  if (Object.is(integer, value)) return `I${unsignedBytes((integer << 1) ^ (integer >> 31))}`;
  bits.setFloat64(0, value, true);
  let bytes = 'N';
  for (let byte = 0; byte < 8; byte += 1) bytes += String.fromCharCode(bits.getUint8(byte));
  return bytes;
}

function unsignedBytes(value: number): string {
  let left = value >>> 0;
  let bytes = '';
  while (left > 0x7f) {
    bytes += String.fromCharCode((left & 0x7f) | 0x80);
    left >>>= 7;
  }
  return bytes + String.fromCharCode(left);
}

function objectBytes(value: object): string | undefined {
  if (types.isProxy(value) || objects.includes(value) || objects.length === MOST_OBJECTS) return undefined;
  objects.push(value);
  if (Array.isArray(value)) return arrayBytes(value);
  return Object.getPrototypeOf(value) === Object.prototype ? plainObjectBytes(value) : undefined;
}

function arrayBytes(array: unknown[]): string | undefined {
  const { length } = array;
  if (length > LONGEST || Object.keys(array).length !== length) return undefined;
  let bytes = '';
  for (let index = 0; index < length; index += 1) {
    const element = index in array ? bytesOf(array[index]) : undefined;
    if (element === undefined) return undefined;
    bytes += element;
  }
  return `A${unsignedBytes(length)}${bytes}$\0${unsignedBytes(length)}`;
}

function plainObjectBytes(object: object): string | undefined {
  let bytes = '';
  let count = 0;
  for (const key of Object.keys(object)) {
    const name = stringBytes(key);
    const value = bytesOf((object as Record<string, unknown>)[key]);
    if (name === undefined || value === undefined) return undefined;
    bytes += name + value;
    count += 1;
  }
  return `o${bytes}{${unsignedBytes(count)}`;
}
