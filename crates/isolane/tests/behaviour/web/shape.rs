//! The shape of every global of ECMA-429, the minimum common web API: name, property attributes,
//! prototype chain, toStringTag, and the constructor's name and length.

use super::passes;

#[test]
fn classes_have_the_shape_that_web_idl_asks_for() {
    passes(
        r"
        const classes = {
          AbortController: [0], AbortSignal: [0, 'EventTarget'], Event: [1], EventTarget: [0],
          CustomEvent: [1, 'Event'], ErrorEvent: [1, 'Event'], MessageChannel: [0], MessageEvent: [1, 'Event'],
          MessagePort: [0, 'EventTarget'], PromiseRejectionEvent: [2, 'Event'], DOMException: [0],
          Headers: [0], Request: [1], Response: [0], FormData: [0], Blob: [0], File: [2, 'Blob'],
          CompressionStream: [1], DecompressionStream: [1],
          ByteLengthQueuingStrategy: [1], CountQueuingStrategy: [1], ReadableByteStreamController: [0],
          ReadableStream: [0], ReadableStreamBYOBReader: [1], ReadableStreamBYOBRequest: [0],
          ReadableStreamDefaultController: [0], ReadableStreamDefaultReader: [1], TransformStream: [0],
          TransformStreamDefaultController: [0], WritableStream: [0], WritableStreamDefaultController: [0],
          WritableStreamDefaultWriter: [1], TextDecoder: [0], TextDecoderStream: [0], TextEncoder: [0],
          TextEncoderStream: [0], URL: [1], URLSearchParams: [0], URLPattern: [0], Crypto: [0], CryptoKey: [0],
          SubtleCrypto: [0], Performance: [0, 'EventTarget'],
        };
        const wrong = [];
        const expect = (what, actual, expected) => {
          if (JSON.stringify(actual) !== JSON.stringify(expected)) wrong.push(`${what}: ${JSON.stringify(actual)}`);
        };
        const attributes = ({ writable, enumerable, configurable }) => [writable, enumerable, configurable];
        for (const [name, [length, parent]] of Object.entries(classes)) {
          const property = Object.getOwnPropertyDescriptor(globalThis, name);
          if (property === undefined) { wrong.push(`${name} is missing`); continue; }
          expect(`${name}'s attributes`, attributes(property), [true, false, true]);
          const C = property.value;
          expect(`${name} is`, typeof C, 'function');
          expect(`${name}'s name`, C.name, name);
          expect(`${name}'s length`, C.length, length);
          expect(`${name}'s parent`, Object.getPrototypeOf(C) === (parent ? globalThis[parent] : Function.prototype), true);
          const above = name === 'DOMException' ? Error.prototype : parent ? globalThis[parent].prototype : Object.prototype;
          expect(`${name}'s prototype's parent`, Object.getPrototypeOf(C.prototype) === above, true);
          expect(`${name}.prototype`, attributes(Object.getOwnPropertyDescriptor(C, 'prototype')), [false, false, false]);
          expect(`${name}.prototype.constructor`, C.prototype.constructor === C, true);
          expect(`${name}.prototype.constructor's attributes`, attributes(Object.getOwnPropertyDescriptor(C.prototype, 'constructor')), [true, false, true]);
          const tag = Object.getOwnPropertyDescriptor(C.prototype, Symbol.toStringTag) ?? {};
          expect(`${name}'s toStringTag`, [tag.value, ...attributes(tag)], [name, false, false, true]);
          try { C(); wrong.push(`${name} can be called`); } catch (error) { expect(`${name}()`, error.name, 'TypeError'); }
        }
        same(wrong, []);
        ",
    );
}

#[test]
fn functions_and_objects_have_theirs() {
    passes(
        r"
        const wrong = [];
        const expect = (what, actual, expected) => {
          if (JSON.stringify(actual) !== JSON.stringify(expected)) wrong.push(`${what}: ${JSON.stringify(actual)}`);
        };
        const functions = {
          atob: 1, btoa: 1, clearTimeout: 0, clearInterval: 0, queueMicrotask: 1, reportError: 1, setTimeout: 1,
          setInterval: 1, structuredClone: 1, fetch: 1,
        };
        for (const [name, length] of Object.entries(functions)) {
          const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
          expect(name, [typeof value, value?.name, value?.length, writable, enumerable, configurable], ['function', name, length, true, true, true]);
          expect(`${name} is no constructor`, Object.hasOwn(value ?? {}, 'prototype'), false);
        }
        for (const name of ['navigator', 'crypto', 'performance', 'console', 'self', 'globalThis']) {
          const found = Object.getOwnPropertyDescriptor(globalThis, name);
          expect(name, [found?.configurable, typeof globalThis[name]], [true, 'object']);
        }
        expect('self', self === globalThis, true);
        const tags = { navigator: 'Navigator', crypto: 'Crypto', performance: 'Performance', console: 'console', WebAssembly: 'WebAssembly' };
        for (const [name, tag] of Object.entries(tags)) {
          expect(name, Object.prototype.toString.call(globalThis[name]), `[object ${tag}]`);
        }
        for (const name of ['onerror', 'onunhandledrejection', 'onrejectionhandled']) {
          expect(name, [name in globalThis, globalThis[name]], [true, null]);
          globalThis[name] = 1; expect(name, globalThis[name], null);
          const handler = () => {}; globalThis[name] = handler; expect(name, globalThis[name] === handler, true);
          globalThis[name] = null;
        }
        expect('navigator.userAgent', [typeof navigator.userAgent, navigator.userAgent.length > 0], ['string', true]);
        const wasm = ['Global', 'Instance', 'Memory', 'Module', 'Table', 'Tag', 'Exception', 'CompileError', 'LinkError',
          'RuntimeError', 'compile', 'compileStreaming', 'instantiate', 'instantiateStreaming', 'validate'];
        for (const name of wasm) expect(`WebAssembly.${name}`, typeof WebAssembly[name], 'function');
        const module = () => new Response(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), { headers: { 'content-type': 'application/wasm' } });
        expect('compileStreaming()', (await WebAssembly.compileStreaming(module())) instanceof WebAssembly.Module, true);
        const { instance } = await WebAssembly.instantiateStreaming(Promise.resolve(module()));
        expect('instantiateStreaming()', instance instanceof WebAssembly.Instance, true);
        await rejects('TypeError', WebAssembly.compileStreaming(new Response('x')));
        expect('WebAssembly.JSTag', WebAssembly.JSTag instanceof WebAssembly.Tag, true);
        expect('the global', globalThis instanceof EventTarget, true);
        same(wrong, []);
        ",
    );
}
