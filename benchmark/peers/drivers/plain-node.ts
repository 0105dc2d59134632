// Owns the floor: the handler called as a function, in Node itself. A tenant that is started is a process of
// Node, since nothing less keeps anything apart; it gets its requests as messages.

import { once } from 'node:events';
import { end, start, temporaryFile } from '../child-processes.js';
import type { Peer, Tenant } from '../peer.js';
import { processTenantLimits } from '../process-tenants.js';
import { moduleOf, URL_OF_REQUEST, type WorkerSource } from '../worker-source.js';

interface LoadedModule {
  readonly default: { readonly fetch: (request: Request) => Response | Promise<Response> };
}

export async function openPlainNode(): Promise<Peer> {
  const processIds = new Set<number>();
  let files = 0;
  return {
    cannot: { context: 'a context is what node:vm makes', ...processTenantLimits('Node') },
    start: async (source) => {
      files += 1;
      const file = temporaryFile(`node-${files}.mjs`, processOf(source));
      const child = start(process.execPath, [file], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
      processIds.add(child.pid);
      const answer = async (): Promise<string> => {
        const answered = once(child, 'message');
        child.send(URL_OF_REQUEST);
        return (await answered)[0] as string;
      };
      const close = () => {
        processIds.delete(child.pid);
        return end(child);
      };
      return { answer, close };
    },
    serve: async (source) => {
      files += 1;
      return calledDirectly(
        (await import(temporaryFile(`worker-${files}.mjs`, moduleOf(source)))) as LoadedModule,
      );
    },
    processIds: () => [...processIds],
    close: () => {},
  };
}

function calledDirectly({ default: worker }: LoadedModule): Tenant {
  return {
    answer: async (body) => {
      const init = { method: 'POST', body: body ?? null, duplex: 'half' } as const;
      const request = body === undefined ? new Request(URL_OF_REQUEST) : new Request(URL_OF_REQUEST, init);
      return (await worker.fetch(request)).text();
    },
    download: async () => {
      const { body } = await worker.fetch(new Request(URL_OF_REQUEST));
      if (body === null) throw new Error('a download has no body');
      return body;
    },
    close: () => {},
  };
}

function processOf(source: WorkerSource): string {
  return `
    ${moduleOf(source).replace('export default', 'const worker =')}
    process.on('message', async (url) => process.send(await (await worker.fetch(new Request(url))).text()));
  `;
}
