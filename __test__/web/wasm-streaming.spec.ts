// WebAssembly.compileStreaming and instantiateStreaming. What the tests assert runs in the guest.

import test from 'ava';
import { passes } from '../support/guest.js';

test('modules are compiled from responses that say what they are', async (t) => {
  await passes(
    t,
    `
    const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
    const wasm = (init) => new Response(bytes, { headers: { 'content-type': 'application/wasm' }, ...init });
    same(await WebAssembly.compileStreaming(wasm()) instanceof WebAssembly.Module, true);
    const { instance } = await WebAssembly.instantiateStreaming(Promise.resolve(wasm()));
    same(instance instanceof WebAssembly.Instance, true);
    for (const type of ['application/wasm;a=b', 'text/wasm', '']) {
      await rejects('TypeError', WebAssembly.compileStreaming(wasm({ headers: { 'content-type': type } })));
    }
    await rejects('TypeError', WebAssembly.compileStreaming(new Response(bytes)));
    await rejects('TypeError', WebAssembly.compileStreaming(wasm({ status: 404 })));
    await rejects('TypeError', WebAssembly.compileStreaming(bytes));
    await rejects('TypeError', WebAssembly.compileStreaming());
    await rejects('RangeError', WebAssembly.compileStreaming(Promise.reject(new RangeError())));
    const used = wasm();
    await used.text();
    await rejects('TypeError', WebAssembly.compileStreaming(used));
    const headers = { 'content-type': 'application/wasm' };
    await rejects('CompileError', WebAssembly.compileStreaming(new Response('not one', { headers })));
    Object.defineProperty(Response.prototype, 'status', { value: 404 });
    await WebAssembly.compileStreaming(wasm());`,
  );
});

test('a memory takes its members once and in order, and refuses what is no number of pages', async (t) => {
  await passes(
    t,
    `
    const seen = [];
    const member = (name, value) => ({ valueOf: () => (seen.push(name + ' value'), value) });
    const memory = new WebAssembly.Memory({
      get maximum() { seen.push('maximum'); return member('maximum', 2); },
      get initial() { seen.push('initial'); return member('initial', 1); },
    });
    same(seen, ['initial', 'initial value', 'maximum', 'maximum value']);
    same(memory.buffer.byteLength, 65536);
    throws('RangeError', () => memory.grow(2));
    for (const maximum of [Infinity, NaN, -1, 2 ** 32]) {
      throws('TypeError', () => new WebAssembly.Memory({ initial: 0, maximum }));
    }
    throws('RangeError', () => new WebAssembly.Memory({ initial: 2, maximum: 1 }));
    throws('TypeError', () => new WebAssembly.Memory({}));`,
  );
});
