// Owns how workerd is driven: one process of it, reached over HTTP. Tenants that are started come and go
// through its Worker Loader, which makes an isolate for each; one that serves callers is in the configuration.

import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
import { end, numbersIn, start, temporaryFile } from '../child-processes.js';
import { httpTenant } from '../http-client.js';
import type { Peer } from '../peer.js';
import { handlerOf, moduleOf, PATH_OF_REQUEST, type WorkerSource } from '../worker-source.js';

const COMPATIBILITY_DATE = '2026-04-01';

const MODULE_FILE = 'main.js';

/** Embeds the worker, which lies beside it. */
const CONFIGURATION = `
  using Workerd = import "/workerd/workerd.capnp";
  const config :Workerd.Config = (
    services = [(name = "main", worker = .main)],
    sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
  );
  const main :Workerd.Worker = (
    compatibilityDate = "${COMPATIBILITY_DATE}",
    compatibilityFlags = ["experimental"],
    modules = [(name = "main.js", esModule = embed "${MODULE_FILE}")],
    bindings = [(name = "loader", workerLoader = (id = "tenants"))],
  );
`;

/** A tenant is a number in the URL; its source is the same but for that. */
const LOADER = `
  const SOURCE = ${JSON.stringify(handlerOf({ name: 'hello' }))};
  export default {
    fetch(request, { loader }) {
      const url = new URL(request.url);
      const tenant = url.searchParams.get('tenant');
      const code = () => ({
        compatibilityDate: '${COMPATIBILITY_DATE}',
        mainModule: 'main.js',
        modules: { 'main.js': 'export default { fetch: /* tenant ' + tenant + ' */ ' + SOURCE + ' };' },
        globalOutbound: null,
      });
      return loader.get(tenant, code).getEntrypoint().fetch('http://worker.test${PATH_OF_REQUEST}');
    },
  };
`;

export async function openWorkerd(): Promise<Peer> {
  const servers: Awaited<ReturnType<typeof serve>>[] = [];
  const launched = async (module: string) => {
    const server = await serve(module);
    servers.push(server);
    return server;
  };
  let loading: ReturnType<typeof launched> | undefined;
  return {
    cannot: { context: 'workerd has one context for each isolate' },
    start: async ({ tenant }) => {
      loading ??= launched(LOADER);
      const { port } = await loading;
      return httpTenant(port, () => {}, `${PATH_OF_REQUEST}&tenant=${tenant}`);
    },
    serve: async (source: WorkerSource) => {
      const { port, child } = await launched(moduleOf(source));
      return httpTenant(port, () => end(child));
    },
    processIds: () => servers.map(({ child }) => child.pid),
    close: async () => {
      await Promise.all(servers.map(({ child }) => end(child)));
    },
  };
}

async function serve(module: string) {
  temporaryFile(MODULE_FILE, module);
  const child = start(
    binary(),
    ['serve', '--experimental', '--control-fd=3', temporaryFile('workerd.capnp', CONFIGURATION)],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    },
  );
  const [port] = await numbersIn(child, child.stdio[3] as Readable, /"event":"listen".*"port":(\d+)/g);
  return { child, port: port as number };
}

/** The binary itself, of the platform's package: the command of the npm package is a script around it. */
function binary(): string {
  const require = createRequire(import.meta.url);
  const workerd = createRequire(require.resolve('workerd/package.json'));
  return workerd.resolve('@cloudflare/workerd-linux-64/bin/workerd');
}
