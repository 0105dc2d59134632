// Owns how Isolane is driven: the pool's public API, from the call to the answer's body, read.

import { createRequire } from 'node:module';
import type { IsolatePool as Pool } from '../../../index.js';
import type { Peer, Tenant } from '../peer.js';
import { moduleOf, URL_OF_REQUEST, type WorkerSource } from '../worker-source.js';

// As a user's program finds it; this folder is a package of its own, in which the name means nothing.
const require = createRequire(new URL('../../../package.json', import.meta.url));
const { IsolatePool, SharedIsolate } = require('isolane') as typeof import('../../../index.js');

/** More than any case needs, so that nothing is evicted. */
const MAX_ISOLATES = 2000;
const MAX_MEMORY_MB = 64 * 1024;

export async function openIsolane(): Promise<Peer> {
  const pool = new IsolatePool({ maxIsolates: MAX_ISOLATES, maxMemoryMb: MAX_MEMORY_MB });
  const shared = new SharedIsolate();
  let ids = 0;
  const deployed = async (source: WorkerSource) => {
    ids += 1;
    const id = `${source.name}-${ids}`;
    await pool.deploy(id, moduleOf(source));
    return tenant(pool, id);
  };
  return {
    cannot: {},
    start: deployed,
    renew: async (source) => {
      const context = await shared.createContext(moduleOf(source));
      return {
        answer: async () => (await context.fetch(URL_OF_REQUEST)).text(),
        close: () => context.close(),
      };
    },
    serve: deployed,
    processIds: () => [process.pid],
    close: async () => {
      await shared.close();
      await pool.close();
    },
  };
}

function tenant(pool: Pool, id: string): Tenant {
  return {
    answer: async (body) => {
      const request = body === undefined ? URL_OF_REQUEST : { url: URL_OF_REQUEST, method: 'POST', body };
      return (await pool.fetch(id, request)).text();
    },
    download: async () => {
      const { body } = await pool.fetch(id, URL_OF_REQUEST);
      if (body === null) throw new Error('a download has no body');
      return body;
    },
    close: async () => {
      await pool.evict(id);
    },
  };
}
