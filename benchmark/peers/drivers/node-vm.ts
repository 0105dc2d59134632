// Owns how node:vm is driven: a context for each tenant in the caller's own isolate, with the shim.

import vm from 'node:vm';
import type { Peer, Tenant } from '../peer.js';
import type { WorkerSource } from '../worker-source.js';
import { bodyOf, NO_STREAMS, SHIM_ARGUMENTS, shimmed } from './shim.js';

type Ask = (...words: typeof SHIM_ARGUMENTS) => unknown;

export async function openNodeVm(): Promise<Peer> {
  let compiled: vm.Script | undefined;
  const start = async (source: WorkerSource) => run(new vm.Script(shimmed(source)));
  return {
    cannot: NO_STREAMS,
    start,
    renew: async (source) => {
      compiled ??= new vm.Script(shimmed(source));
      return run(compiled);
    },
    serve: start,
    processIds: () => [process.pid],
    close: () => {},
  };
}

function run(script: vm.Script): Tenant {
  const context = vm.createContext({ setTimeout });
  script.runInContext(context);
  const ask = context.ask as Ask;
  return { answer: async () => bodyOf(await ask(...SHIM_ARGUMENTS)), close: () => {} };
}
