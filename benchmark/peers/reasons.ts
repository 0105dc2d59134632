// Owns why Isolane does not lead where it does not: by case and peer, kept beside the figures so that each
// has to be looked into. A reason that stays after its case is won is not printed.

import type { CaseName } from './cases.js';
import type { PeerName } from './peer.js';

const ON_THE_CALLERS_THREAD =
  "the worker runs on the caller's thread, which is held up meanwhile: no other thread is woken or waited for, and nothing bounds a worker that spins";

const FUNCTION_CALL = 'a function call without any isolation is the floor';

const CONTEXT_ONLY =
  "only a context is made, in the caller's isolate: no heap of its own, no limit, no boundary between tenants";

const SHIM_IN_CONTEXT = "the context has the shim's one class instead of the web platform";

const NO_WEB_PLATFORM = 'its isolates have none of the web platform in them, and less to set up and to keep';

const OTHER_V8 =
  "its V8 is another release; ours types this loop's variable so that it takes three times as long, and other loops less";

const EVEN = 'even, within what runs differ by';

export const REASONS: Readonly<Partial<Record<CaseName, Partial<Record<PeerName, string>>>>> = {
  cold: {
    'node-vm': CONTEXT_ONLY,
    'edge-runtime': CONTEXT_ONLY,
    'isolated-vm': NO_WEB_PLATFORM,
    quickjs: 'an interpreter without a compiler has little to set up',
  },
  context: { 'node-vm': SHIM_IN_CONTEXT, quickjs: SHIM_IN_CONTEXT, 'isolated-vm': SHIM_IN_CONTEXT },
  warm: onOneThread(),
  'rate-1': onOneThread(),
  'rate-8': onOneThread(),
  'rate-64': onOneThread(),
  'rate-512': onOneThread(),
  'idle-100': idle(),
  'idle-1000': idle(),
  cpu: {
    'isolated-vm': OTHER_V8,
    'isolated-vm-sync': ON_THE_CALLERS_THREAD,
    'node-vm': ON_THE_CALLERS_THREAD,
    'edge-runtime': ON_THE_CALLERS_THREAD,
    workerd: OTHER_V8,
    node: FUNCTION_CALL,
  },
  timer: {
    'isolated-vm': EVEN,
    piscina: EVEN,
    quickjs: EVEN,
    'node-vm': ON_THE_CALLERS_THREAD,
    'edge-runtime': ON_THE_CALLERS_THREAD,
    node: FUNCTION_CALL,
  },
  'timer-64': { 'node-vm': ON_THE_CALLERS_THREAD, node: FUNCTION_CALL },
  download: { 'edge-runtime': ON_THE_CALLERS_THREAD, node: FUNCTION_CALL },
  upload: { deno: EVEN, 'edge-runtime': ON_THE_CALLERS_THREAD, node: FUNCTION_CALL },
};

function idle(): Partial<Record<PeerName, string>> {
  return {
    'node-vm': CONTEXT_ONLY,
    'edge-runtime': CONTEXT_ONLY,
    'isolated-vm': NO_WEB_PLATFORM,
    workerd: EVEN,
    quickjs: 'QuickJS keeps a small heap and no compiled code',
  };
}

function onOneThread(): Partial<Record<PeerName, string>> {
  return {
    'isolated-vm-sync': ON_THE_CALLERS_THREAD,
    'node-vm': ON_THE_CALLERS_THREAD,
    quickjs: ON_THE_CALLERS_THREAD,
    'edge-runtime': ON_THE_CALLERS_THREAD,
    node: FUNCTION_CALL,
  };
}
