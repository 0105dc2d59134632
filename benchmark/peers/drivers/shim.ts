// Owns the shim: what a bare engine needs to run the worker, and how its answers are read.
//
// Strings go in (method, URL) and one JSON string comes out. That is less than the web's classes do, and
// what an embedder who wants no more would write.

import type { CaseName } from '../cases.js';
import { handlerOf, URL_OF_REQUEST, type WorkerSource } from '../worker-source.js';

/** What the shim's function is called with. */
export const SHIM_ARGUMENTS = ['GET', URL_OF_REQUEST] as const;

const SHIM = `
  globalThis.Response = class Response {
    constructor(body, init) {
      this.body = body;
      this.status = init?.status ?? 200;
      this.headers = init?.headers ?? {};
    }
  };
  globalThis.serve = (handler) => {
    const write = ({ status, headers, body }) => JSON.stringify({ status, headers, body });
    globalThis.ask = (method, url) => {
      const answer = handler({ method, url, headers: {} });
      return answer instanceof Promise ? answer.then(write) : write(answer);
    };
  };
`;

/** A script after which the global `ask(method, url)` runs the worker. */
export function shimmed(source: WorkerSource): string {
  return `${SHIM}\nserve(${handlerOf(source)});\n`;
}

/** The body of what came out. */
export function bodyOf(answer: unknown): string {
  if (typeof answer !== 'string') throw new Error(`the shim gave ${typeof answer}`);
  const { status, body } = JSON.parse(answer) as { status: number; body: string };
  if (status !== 200) throw new Error(`the shim gave status ${status}`);
  return body;
}

export const NO_STREAMS: Partial<Record<CaseName, string>> = {
  download: 'the shim has no streams',
  upload: 'the shim has no streams',
};
