// Owns how Deno is driven: a process for each tenant, with a server that is reached over HTTP.

import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
import { end, numbersIn, start, temporaryFile, temporaryFolder } from '../child-processes.js';
import { httpTenant } from '../http-client.js';
import type { Peer, Tenant } from '../peer.js';
import { processTenantLimits } from '../process-tenants.js';
import { handlerOf, type WorkerSource } from '../worker-source.js';

const PARAMETERS = [
  'run',
  '--quiet',
  '--no-config',
  '--no-lock',
  '--no-remote',
  '--no-npm',
  '--allow-net=127.0.0.1',
];

export async function openDeno(): Promise<Peer> {
  const processIds = new Set<number>();
  let files = 0;
  const serve = async (source: WorkerSource): Promise<Tenant> => {
    files += 1;
    const file = temporaryFile(`deno-${files}.mjs`, serverOf(source));
    const child = start(binary(), [...PARAMETERS, file], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, DENO_DIR: temporaryFolder(), DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' },
    });
    processIds.add(child.pid);
    const [port] = await numbersIn(child, child.stdout as Readable, /^listening (\d+)$/gm);
    return httpTenant(port as number, async () => {
      processIds.delete(child.pid);
      await end(child);
    });
  };
  return {
    cannot: { context: 'Deno has one context for each isolate', ...processTenantLimits('Deno') },
    start: serve,
    serve,
    processIds: () => [...processIds],
    close: () => {},
  };
}

function serverOf(source: WorkerSource): string {
  return `
    const fetch = ${handlerOf(source)};
    const onListen = ({ port }) => console.log('listening ' + port);
    Deno.serve({ hostname: '127.0.0.1', port: 0, onListen }, fetch);
  `;
}

/** The binary itself, of the platform's package: the command of the npm package is a script around it. */
function binary(): string {
  const require = createRequire(import.meta.url);
  const deno = createRequire(require.resolve('deno/package.json'));
  return deno.resolve('@deno/linux-x64-glibc/deno');
}
