// Owns what a peer is to the benchmark: the few things that each driver knows how to do, and the list of peers.

import type { CaseName } from './cases.js';
import type { WorkerSource } from './worker-source.js';

/** One worker that can be sent requests. */
export interface Tenant {
  /** Sends a request and reads the whole body of its answer. */
  readonly answer: (body?: ReadableStream<Uint8Array>) => Promise<string>;
  /** Sends a request and gives the body of its answer as it streams in. */
  readonly download?: () => Promise<AsyncIterable<Uint8Array>>;
  readonly close: () => void | Promise<void>;
}

export interface Peer {
  /** Why cases are left out. */
  readonly cannot: Partial<Record<CaseName, string>>;
  /** A tenant that the host has not seen, kept apart from others as well as the peer can. */
  readonly start: (source: WorkerSource) => Promise<Tenant>;
  /** A new context on an isolate that is there already. */
  readonly renew?: (source: WorkerSource) => Promise<Tenant>;
  /** One worker made ready for so many callers: with as many isolates as the peer makes use of. */
  readonly serve: (source: WorkerSource, callers: number) => Promise<Tenant>;
  /** The processes that hold the tenants. */
  readonly processIds: () => readonly number[];
  readonly close: () => void | Promise<void>;
}

/** What a call of a peer has in it. Figures compare best within a kind. */
export type PeerKind = 'shim' | 'response' | 'http' | 'direct';

export const KINDS: Readonly<Record<PeerKind, string>> = {
  shim: 'strings go in and a JSON string comes out, by way of a shim: no Request, no Response, no streams',
  response: 'builds a request and a response with its headers, and the caller reads the body',
  http: 'HTTP over loopback with connections kept alive, from the http client of Node',
  direct: 'the handler is called as a function, with a Request and a Response of Node: nothing is kept apart',
};

export interface PeerEntry {
  readonly kind: PeerKind;
  /** The npm packages whose versions are noted. */
  readonly packages: readonly string[];
  /** How its tenants are kept apart. */
  readonly apart: string;
  readonly nodeFlags: readonly string[];
  readonly open: () => Promise<Peer>;
}

const isolatedVm = {
  kind: 'shim',
  packages: ['isolated-vm'],
  nodeFlags: ['--no-node-snapshot'],
} as const;

/** Isolane first, then what it is measured against. */
export const PEERS = {
  isolane: {
    kind: 'response',
    packages: [],
    apart: 'an isolate each, run on threads of their own',
    nodeFlags: [],
    open: async () => (await import('./drivers/isolane.js')).openIsolane(),
  },
  'isolated-vm': {
    ...isolatedVm,
    apart: 'an isolate each, called asynchronously: the worker runs on another thread',
    open: async () => (await import('./drivers/isolated-vm.js')).openIsolatedVm('asynchronous'),
  },
  'isolated-vm-sync': {
    ...isolatedVm,
    apart:
      "an isolate each, called synchronously: the worker runs on the caller's thread and holds up its event loop",
    open: async () => (await import('./drivers/isolated-vm.js')).openIsolatedVm('synchronous'),
  },
  workerd: {
    kind: 'http',
    packages: ['workerd'],
    apart: 'an isolate each (Worker Loader) in one process beside the caller',
    nodeFlags: [],
    open: async () => (await import('./drivers/workerd.js')).openWorkerd(),
  },
  deno: {
    kind: 'http',
    packages: ['deno'],
    apart: 'a process each',
    nodeFlags: [],
    open: async () => (await import('./drivers/deno.js')).openDeno(),
  },
  'node-vm': {
    kind: 'shim',
    packages: [],
    apart: "not a security boundary: a context in the caller's isolate",
    nodeFlags: [],
    open: async () => (await import('./drivers/node-vm.js')).openNodeVm(),
  },
  piscina: {
    kind: 'response',
    packages: ['piscina'],
    apart: 'a thread each, with all of Node in reach of the worker',
    nodeFlags: [],
    open: async () => (await import('./drivers/piscina.js')).openPiscina(),
  },
  quickjs: {
    kind: 'shim',
    packages: ['quickjs-emscripten'],
    apart: "a runtime each, interpreted in WebAssembly on the caller's thread",
    nodeFlags: [],
    open: async () => (await import('./drivers/quickjs.js')).openQuickJs(),
  },
  'edge-runtime': {
    kind: 'response',
    packages: ['@edge-runtime/vm'],
    apart: "not a security boundary: a context in the caller's isolate",
    nodeFlags: [],
    open: async () => (await import('./drivers/edge-runtime.js')).openEdgeRuntime(),
  },
  node: {
    kind: 'direct',
    packages: [],
    apart: 'not at all where it is called, a process each where tenants are started',
    nodeFlags: [],
    open: async () => (await import('./drivers/plain-node.js')).openPlainNode(),
  },
} as const satisfies Record<string, PeerEntry>;

export type PeerName = keyof typeof PEERS;

export const PEER_NAMES = Object.keys(PEERS) as PeerName[];
