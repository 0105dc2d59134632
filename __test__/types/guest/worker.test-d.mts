// The types of a worker's globals, as code inside a worker sees them: compiled, never run. Each
// `@ts-expect-error` is something that a worker must not be able to write.

import 'isolane/worker-types';
import { AsyncLocalStorage as FromNode } from 'node:async_hooks';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<_T extends true>(): void {}

interface Env {
  greeting: string;
  store: { get(key: string): Promise<string | null> };
}

export default {
  async fetch(request, env, ctx) {
    is<Equal<typeof request, Request>>();
    is<Equal<typeof env.greeting, string>>();
    is<Equal<Awaited<ReturnType<typeof env.store.get>>, string | null>>();
    ctx.waitUntil(caches.default.put(request, new Response('x')));
    // @ts-expect-error: it is not a part of the worker's env
    env.missing;
    const found = await caches.match(request);
    is<Equal<typeof found, Response | undefined>>();
    return found ?? new Response(request.body, { status: 201, headers: { a: 'b' } });
  },
  async scheduled(controller, _env, ctx) {
    is<Equal<typeof controller.cron, string>>();
    ctx.waitUntil(scheduler.wait(10, { signal: AbortSignal.timeout(5) }));
  },
} satisfies ExportedHandler<Env>;

// @ts-expect-error: a handler answers with a Response
export const wrong: ExportedHandler = { fetch: () => 'text' };

export async function globals(): Promise<void> {
  addEventListener('unhandledrejection', (event) => is<Equal<typeof event, PromiseRejectionEvent>>());
  addEventListener('fetch', (event) => event.respondWith(new Response(event.request.url)));
  self.onerror = (message, _filename, line) => is<Equal<[typeof message, typeof line], [string, number]>>();
  const { port1, port2 } = new MessageChannel();
  port2.onmessage = (event) => event.ports[0]?.start();
  port2.addEventListener('message', (event) => is<Equal<typeof event.data, unknown>>());
  port1.postMessage(new ArrayBuffer(1), [new ArrayBuffer(1)]);
  structuredClone({ a: 1 }, { transfer: [port1] }).a.toFixed();
  const timer: number = setTimeout((text: string) => text.length, 10, 'argument');
  clearTimeout(timer);
  // @ts-expect-error: the handler takes a number
  setTimeout((count: number) => count, 10, 'argument');

  const pattern = new URLPattern('/books/:id', 'https://x.test', { ignoreCase: true });
  const id = pattern.exec('https://x.test/books/1')?.pathname.groups.id;
  is<Equal<typeof id, string | undefined>>();

  const storage = new FromNode<{ id: number }>();
  is<Equal<ReturnType<typeof storage.getStore>, { id: number } | undefined>>();
  const length: number = storage.run({ id: 1 }, (text: string) => text.length, 'text');
  const variable = new AsyncContext.Variable({ defaultValue: length });
  is<Equal<ReturnType<typeof variable.get>, number | undefined>>();

  const text = new Response('x').body?.pipeThrough(new TextDecoderStream());
  for await (const chunk of text ?? []) is<Equal<typeof chunk, string>>();
  const gzip: ReadableStream<Uint8Array> = new Blob(['x'])
    .stream()
    .pipeThrough(new CompressionStream('gzip'));
  const key = await crypto.subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', false, ['encrypt']);
  const sealed: ArrayBuffer = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv: new Uint8Array(12) },
    key,
    new Uint8Array(1),
  );
  const source = new EventSource('https://x.test/events');
  source.onmessage = (event) => event.data.toUpperCase();
  const { instance } = await WebAssembly.instantiate(new Uint8Array(sealed));
  console.log(gzip, instance.exports, navigator.userAgent, performance.now(), self.crypto);
  // @ts-expect-error: there is no document
  document;
  // @ts-expect-error: there is no process
  process;
}
