// The quick way through V8's wire format agrees with V8's own, on what it takes; it leaves the rest.

import { Deserializer, Serializer } from 'node:v8';
import test from 'ava';
import { readShort, writeShort } from '../lib/short-clone.js';

function serialized(value: unknown): Buffer {
  const serializer = new Serializer();
  serializer.writeHeader();
  serializer.writeValue(value);
  return serializer.releaseBuffer();
}

function deserialized(bytes: Buffer): unknown {
  const deserializer = new Deserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue();
}

const text = (bytes: Buffer) => bytes.toString('latin1');
const shared = { a: 1 };
const cycle: { self?: unknown } = {};
cycle.self = cycle;
const named = Object.assign([1, 2], { name: 'x' });

const TAKEN = {
  'an empty string': '',
  'a string': 'value',
  'a string of Latin-1': 'é\x80\xff\0',
  'a long string': 'x'.repeat(900),
  zero: 0,
  'negative zero': -0,
  'small numbers': [1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192],
  'the bounds of 32 bits': [2 ** 31 - 1, -(2 ** 31), 2 ** 31, -(2 ** 31) - 1, 2 ** 32],
  doubles: [0.5, -1e300, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER, NaN, Infinity, -Infinity],
  'true, false, null and undefined': [true, false, null, undefined],
  'an empty array': [],
  'an empty object': {},
  'a record': {
    id: 7,
    name: 'someone',
    tags: ['a', 'b'],
    address: { city: 'x', geo: [1.5, -2] },
    gone: undefined,
  },
  'arrays in arrays': [[[[]]], [1, [2, [3]]]],
  'a property whose name is empty': { '': 1 },
} as const;

const LEFT = {
  'a bigint': 1n,
  'a date': new Date(0),
  'a map': new Map([[1, 2]]),
  'an error': new Error('x'),
  bytes: new Uint8Array(3),
  'an instance': new (class Point {
    x = 1;
  })(),
  'an object without a prototype': Object.assign(Object.create(null), { a: 1 }),
  'one object twice': [shared, shared],
  'a cycle': cycle,
  holes: Object.assign(new Array(3), { 0: 1, 2: 3 }),
  'an array with a property': named,
  'what is too long': 'x'.repeat(2000),
  'many objects': Array.from({ length: 30 }, () => ({})),
};

for (const [name, value] of Object.entries(TAKEN)) {
  test(`it writes as V8 reads, and reads as V8 writes: ${name}`, (t) => {
    const written = writeShort(value);
    if (written === undefined) return t.fail('it was not written');
    t.deepEqual(deserialized(Buffer.from(written, 'latin1')), value);
    t.deepEqual(readShort(written), [value]);
    t.deepEqual(readShort(text(serialized(value))), [value]);
    return undefined;
  });
}

test('it reads what V8 writes of two bytes a character', (t) => {
  for (const value of ['漢字', ['a', '漢'], { 漢: '\ud800' }, ['', '漢']]) {
    t.is(writeShort(value), undefined);
    t.deepEqual(readShort(text(serialized(value))), [value]);
  }
});

for (const [name, value] of Object.entries(LEFT)) {
  test(`it leaves to V8: ${name}`, (t) => {
    t.is(writeShort(value), undefined);
    const read = readShort(text(serialized(value)));
    if (read !== undefined) t.deepEqual(read, [deserialized(serialized(value))]);
  });
}

test('it leaves to V8 what cannot be cloned, and what is a proxy', (t) => {
  for (const value of [
    () => {},
    Symbol('s'),
    new Proxy({}, {}),
    new Proxy([], {}),
    [Symbol('s')],
    { f() {} },
  ]) {
    t.is(writeShort(value), undefined);
    t.throws(() => serialized(value), { any: true });
  }
});

test('a key cannot reach the prototype', (t) => {
  const value = JSON.parse('{"__proto__": {"polluted": true}}') as object;
  t.is(readShort(text(serialized(value))), undefined);
  const written = writeShort(value);
  t.deepEqual(written && Object.keys(deserialized(Buffer.from(written, 'latin1')) as object), ['__proto__']);
  t.is(({} as { polluted?: boolean }).polluted, undefined);
});

test('a getter that writes a value itself spoils nothing', (t) => {
  const value = {
    get inner() {
      return writeShort(['inner']) === undefined ? 'left' : 'written';
    },
    after: 1,
  };
  const written = writeShort(value);
  if (written !== undefined) t.deepEqual(readShort(written), [{ inner: 'written', after: 1 }]);
  t.deepEqual(readShort(writeShort({ after: 1 }) ?? ''), [{ after: 1 }]);
});

/** Numbers below 1, the same ones in each run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test('bytes that somebody made up are read as V8 reads them, or not at all', (t) => {
  const next = random(7);
  const samples = [...Object.values(TAKEN), ['a', '漢'], { a: '漢', b: [1, 2, { c: null }] }].map(serialized);
  let read = 0;
  for (let round = 0; round < 50_000; round += 1) {
    const bytes = Buffer.from(samples[Math.floor(next() * samples.length)] ?? []);
    for (let changes = 1 + next() * 3; changes >= 1; changes -= 1) {
      bytes[2 + Math.floor(next() * (bytes.length - 2))] = Math.floor(next() * 256);
    }
    const value = readShort(text(bytes));
    if (value === undefined) continue;
    read += 1;
    t.deepEqual(value, [deserialized(bytes)], bytes.toString('hex'));
  }
  t.true(read > 1000, `${read} were read`);
});
