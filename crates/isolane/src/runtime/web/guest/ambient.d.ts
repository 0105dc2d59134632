// Owns the types that every family file of the guest side sees: how families are defined and
// used, and the native operations of the core. Families add their own operations to `Host` and
// themselves to `Families` by declaration merging. Guest code runs on the thread that holds its isolate.

/**
 * How a global is installed: all are writable and configurable, only functions are enumerable. What is
 * 'native' stands before a global that V8 makes with every context, and is installed then; what is 'module'
 * is no global, but what a module of that name exports.
 */
type GlobalKind = 'class' | 'function' | 'object' | 'native' | 'module';

/** All families by name; each family's file adds its own member. */
interface Families {
  callbacks: Callbacks;
}

/**
 * Gives the members of a family, running its factory at the first call in a context. (NoInfer keeps a
 * destructured call from asking for the types of all families, which would make circles of them.)
 */
type Use = <K extends keyof Families>(name: K) => NoInfer<Families[K]>;

declare const familyMembers: unique symbol;

/** Carries the type of what a family's factory returns. */
interface Family<Members> {
  readonly [familyMembers]: Members;
}

/** The members of the family whose carrier has the type `F`. */
type FamilyOf<F> = F extends Family<infer Members> ? Members : never;

/** Defines a family. `globals` names the members that become globals of the context. */
declare function define<Members extends Record<Global, unknown>, Global extends string = never>(
  name: keyof Families,
  declaration: { globals?: Record<Global, GlobalKind> },
  factory: (use: Use, host: Host) => Members,
): Family<Members>;

/** What the host answers to a finished subrequest. */
interface HostFetchResult {
  status: number;
  statusText: string;
  /** Names and values in turn. */
  headers: string[];
  url: string;
  redirected: boolean;
  /** A stream id, or 0 for a null body. */
  body: number;
}

/** The native operations. A factory must not call them; the functions that it makes may. */
interface Host {
  /** Starts a timer that fires once; answers its callback id. */
  timerStart(delayMs: number): number;
  timerCancel(id: number): void;
  /** Levels: 0 debug, 1 log, 2 info, 3 warn, 4 error. */
  log(level: number, message: string): void;
  /** Milliseconds since the time origin, coarsened to 100 µs. */
  now(): number;
  /** Unix milliseconds. */
  timeOrigin(): number;
  /** Reports an uncaught exception of the current request. */
  reportException(error: unknown): void;
  /** Answers a callback id that settles with a `HostFetchResult`. */
  fetchStart(
    method: string,
    url: string,
    headersFlat: string[],
    body: null | string | Uint8Array | number,
    redirect: 'follow' | 'error' | 'manual',
  ): number;
  fetchCancel(id: number): void;
  /** Answers a callback id that settles with a `Uint8Array`, or null at the end. */
  streamRead(streamId: number): number;
  streamCancel(streamId: number): void;
  /** Opens an outgoing stream: the guest writes, the host reads. */
  streamOpen(): number;
  /**
   * Writes up to 64 KiB of the chunk from an offset on. 0: accepted; above 0: accepted, wait for this callback id
   * before the next; -1: the reader is gone.
   */
  streamWrite(streamId: number, chunk: Uint8Array, from: number): number;
  streamClose(streamId: number): void;
  streamFail(streamId: number, message: string): void;
  /** Sends what the host sends on `from` to the outgoing stream `to`; true where all was sent, false where nobody reads. */
  streamForward(from: number, to: number): number;
}

/** V8's additions to the Error constructor. */
interface ErrorConstructor {
  captureStackTrace(target: object, above?: Function): void;
  stackTraceLimit: number;
}
