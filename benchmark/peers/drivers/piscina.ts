// Owns how worker_threads are driven: by pools of Piscina, with a thread for each tenant, or one for each
// processor where a tenant has many callers. The answer comes back as text, with its status and its headers.

import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { temporaryFile } from '../child-processes.js';
import type { Peer, Tenant } from '../peer.js';
import { moduleOf, URL_OF_REQUEST, type WorkerSource } from '../worker-source.js';

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyArray<readonly [string, string]>;
  readonly text: string;
}

export async function openPiscina(): Promise<Peer> {
  let files = 0;
  const load = (source: WorkerSource, threads: number): Tenant => {
    files += 1;
    const worker = temporaryFile(`worker-${files}.mjs`, moduleOf(source));
    return tenant(source, temporaryFile(`thread-${files}.mjs`, threadOf(worker)), threads);
  };
  return {
    cannot: {
      context: 'a thread has one context; more would be contexts of node:vm',
      'idle-1000': 'a thousand threads with a Node each are more than a host is built for',
    },
    start: async (source) => load(source, 1),
    serve: async (source, callers) => load(source, Math.min(callers, availableParallelism())),
    processIds: () => [process.pid],
    close: () => {},
  };
}

function tenant({ name }: WorkerSource, filename: string, threads: number): Tenant {
  const streams = name === 'download' || name === 'upload';
  const pool = new Piscina({
    filename,
    minThreads: threads,
    maxThreads: threads,
    // Not the ones of this process, whose loader would be started in every thread.
    execArgv: [],
    // A worker that waits for something else than its next task must not be blocked in waiting for that.
    atomics: streams || name === 'timer' ? 'async' : 'sync',
    concurrentTasksPerWorker: name === 'timer' ? 64 : 1,
  });
  return {
    answer: async (body) => {
      const task = { url: URL_OF_REQUEST, body };
      const given = await pool.run(task, body === undefined ? {} : { transferList: [body] });
      return (given as Answer).text;
    },
    download: async () => (await pool.run({ url: URL_OF_REQUEST })) as AsyncIterable<Uint8Array>,
    close: () => pool.destroy(),
  };
}

/** What a thread runs: a Request for the worker, and its Response as what can be sent to another thread. */
function threadOf(workerFile: string): string {
  return `
    import piscina from ${JSON.stringify(import.meta.resolve('piscina'))};
    import worker from ${JSON.stringify(workerFile)};
    export default async ({ url, body }) => {
      const request = body === undefined ? new Request(url) : new Request(url, { method: 'POST', body, duplex: 'half' });
      const response = await worker.fetch(request);
      if (!response.headers.has('content-type')) return piscina.move(response.body);
      return { status: response.status, headers: [...response.headers], text: await response.text() };
    };
  `;
}
