// Owns the worker that every peer runs, in the forms that they take, and what it must answer.
//
// A handler uses nothing but `request.method`, `request.url`, `request.body`, `Response` and, where its case
// is about them, `setTimeout` and `ReadableStream`: what a bare engine lacks of these, a shim can give.

export type WorkerName = 'hello' | 'cpu' | 'timer' | 'download' | 'upload';

export interface WorkerSource {
  readonly name: WorkerName;
  /** Makes the text unlike any other's, so that nothing compiled for another tenant is found for it. */
  readonly tenant?: number;
}

export const URL_OF_REQUEST = 'http://worker.test/path?x=1';

/** The part of the URL that is the same where a peer is reached over HTTP. */
export const PATH_OF_REQUEST = '/path?x=1';

export const CHUNK_BYTES = 64 * 1024;
export const STREAM_BYTES = 1024 * 1024;
export const TIMER_MS = 5;

const JSON_HEADERS = `{ headers: { 'content-type': 'application/json' } }`;

const HANDLERS: Readonly<Record<WorkerName, string>> = {
  hello: `(request) => {
    const path = request.url.slice(request.url.indexOf('/', 8));
    return new Response(JSON.stringify({ method: request.method, path }), ${JSON_HEADERS});
  }`,
  // The longest Collatz sequence that begins below 3000: integer work, and no allocation.
  cpu: `() => {
    let best = 0;
    let longest = 0;
    for (let first = 1; first < 3000; first += 1) {
      let steps = 0;
      for (let n = first; n !== 1; steps += 1) n = n % 2 === 0 ? n / 2 : 3 * n + 1;
      if (steps > longest) [best, longest] = [first, steps];
    }
    return new Response(JSON.stringify({ best, longest }), ${JSON_HEADERS});
  }`,
  timer: `async () => {
    await new Promise((done) => setTimeout(done, ${TIMER_MS}));
    return new Response(JSON.stringify({ slept: ${TIMER_MS} }), ${JSON_HEADERS});
  }`,
  download: `() => {
    let left = ${STREAM_BYTES / CHUNK_BYTES};
    return new Response(new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(${CHUNK_BYTES}));
        left -= 1;
        if (left === 0) controller.close();
      },
    }));
  }`,
  upload: `async (request) => {
    const reader = request.body.getReader();
    let bytes = 0;
    for (let read = await reader.read(); !read.done; read = await reader.read()) bytes += read.value.byteLength;
    return new Response(JSON.stringify({ bytes }), ${JSON_HEADERS});
  }`,
};

/** What an answer's body must be. A download is counted instead. */
export const ANSWERS: Readonly<Record<Exclude<WorkerName, 'download'>, string>> = {
  hello: JSON.stringify({ method: 'GET', path: PATH_OF_REQUEST }),
  cpu: JSON.stringify({ best: 2919, longest: 216 }),
  timer: JSON.stringify({ slept: TIMER_MS }),
  upload: JSON.stringify({ bytes: STREAM_BYTES }),
};

/** The handler as an expression. */
export function handlerOf({ name, tenant }: WorkerSource): string {
  return tenant === undefined ? HANDLERS[name] : `/* tenant ${tenant} */ ${HANDLERS[name]}`;
}

/** An ES module, for peers that load those. */
export function moduleOf(source: WorkerSource): string {
  return `export default { fetch: ${handlerOf(source)} };\n`;
}

/** A script with a listener, for peers that take those. */
export function scriptOf(source: WorkerSource): string {
  return `addEventListener('fetch', (event) => event.respondWith((${handlerOf(source)})(event.request)));\n`;
}

/** What an upload sends, chunk by chunk. */
export function uploadBody(): ReadableStream<Uint8Array> {
  let left = STREAM_BYTES / CHUNK_BYTES;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new Uint8Array(CHUNK_BYTES));
      left -= 1;
      if (left === 0) controller.close();
    },
  });
}

/** Reads a body to its end; how many bytes came. */
export async function countBytes(body: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of body) bytes += chunk.byteLength;
  return bytes;
}
