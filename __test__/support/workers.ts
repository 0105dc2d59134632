// Workers that several specifications use.

/** Answers with what it sees of the request. */
export const ECHO = `export default {
  async fetch(request) {
    const body = request.body === null ? null : await request.text();
    return Response.json({ method: request.method, url: request.url, headers: Object.fromEntries(request.headers), body });
  },
};`;

export interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
}

/** Answers 'hello' and the path. */
export const HELLO = `export default { fetch: (request) => new Response('hello ' + new URL(request.url).pathname) }`;

/** Never ends by itself, and never waits. */
export const SPIN = `export default { fetch() { while (true) {} } }`;

/** Waits for what never comes, but for a timer. */
export const SLEEP = `export default {
  async fetch() { await new Promise((resolve) => setTimeout(resolve, 600_000)); return new Response('late'); },
}`;

/** Throws what its URL says. */
export const THROW = `export default { fetch(request) { throw new RangeError('bad ' + new URL(request.url).pathname) } }`;

export const URL_A = 'http://worker.test/a';

let lastId = 0;

/** An id that no other test of this process has used. */
export function newId(): string {
  lastId += 1;
  return `worker-${lastId}`;
}
