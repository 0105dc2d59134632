// Owns how @edge-runtime/vm is driven: a context of node:vm with the web's classes for each tenant.

import { EdgeVM } from '@edge-runtime/vm';
import type { Peer, Tenant } from '../peer.js';
import { scriptOf, URL_OF_REQUEST, type WorkerSource } from '../worker-source.js';

export async function openEdgeRuntime(): Promise<Peer> {
  const start = async (source: WorkerSource): Promise<Tenant> => {
    const runtime = new EdgeVM({ initialCode: scriptOf(source) });
    return {
      answer: async (body) => {
        const init = body === undefined ? {} : { method: 'POST', body, duplex: 'half' };
        return (await runtime.dispatchFetch(URL_OF_REQUEST, init)).text();
      },
      download: async () => {
        const { body } = await runtime.dispatchFetch(URL_OF_REQUEST, {});
        if (body === null) throw new Error('a download has no body');
        return body;
      },
      close: () => {},
    };
  };
  return { cannot: {}, start, renew: start, serve: start, processIds: () => [process.pid], close: () => {} };
}
