// TextEncoderStream and TextDecoderStream. What the tests assert runs in the guest.

import test from 'ava';
import { passes } from '../support/guest.js';

test('text streams keep characters whole', async (t) => {
  await passes(
    t,
    String.raw`
    async function through(stream, chunks) {
      const writer = stream.writable.getWriter();
      const written = Promise.all([...chunks.map((chunk) => writer.write(chunk)), writer.close()]);
      const parts = [];
      for await (const part of stream.readable) parts.push(part);
      await written;
      return parts;
    }
    const pile = String.fromCodePoint(0x1f4a9);
    const encoded = await through(new TextEncoderStream(), ['a' + pile[0], pile[1], pile[0]]);
    same(encoded.map((bytes) => [...bytes]), [[97], [240, 159, 146, 169], [239, 191, 189]]);
    const bytes = new TextEncoder().encode('\uFEFFz' + pile);
    const decoded = await through(new TextDecoderStream(), [...bytes].map((byte) => new Uint8Array([byte])));
    same(decoded.join(''), 'z' + pile);
    const strict = new TextDecoderStream('utf-8', { fatal: true, ignoreBOM: true });
    same([strict.encoding, strict.fatal, strict.ignoreBOM], ['utf-8', true, true]);
    await rejects('TypeError', through(strict, [new Uint8Array([0xff])]));
    await rejects('TypeError', through(new TextDecoderStream(), ['text']));
    throws('RangeError', () => new TextDecoderStream('nothing'));`,
  );
});

test('text streams do not use what guests replaced', async (t) => {
  await passes(
    t,
    `
    TextDecoder.prototype.decode = () => 'replaced';
    const { readable, writable } = new TextDecoderStream();
    const writer = writable.getWriter();
    writer.write(new Uint8Array([0x68, 0x69]));
    const { value } = await readable.getReader().read();
    same(value, 'hi');`,
  );
});
