// The globals that code inside a worker finds, for TypeScript projects without the DOM library:
// `"compilerOptions": { "lib": ["ESNext"], "types": ["isolane/worker-types"] }`.

// ---------------------------------------------------------------------------------------------
// Handlers

/** What `export default` of a worker may be; `Env` is the type of the worker's `env`. */
interface ExportedHandler<Env = unknown> {
  fetch?(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response>;
  scheduled?(controller: ScheduledController, env: Env, ctx: ExecutionContext): void | Promise<void>;
}

/** A handler's third argument. */
interface ExecutionContext {
  /** Keeps the request's work going until the promise settles, also after the response. */
  waitUntil(promise: unknown): void;
  passThroughOnException(): void;
}

/** The first argument of a `scheduled` handler. */
interface ScheduledController {
  readonly cron: string;
  readonly scheduledTime: number;
  noRetry(): void;
}

declare abstract class ExtendableEvent extends Event {
  waitUntil(promise: unknown): void;
}
declare abstract class FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Response | Promise<Response>): void;
  passThroughOnException(): void;
}
declare abstract class ScheduledEvent extends ExtendableEvent {
  readonly cron: string;
  readonly scheduledTime: number;
}

// ---------------------------------------------------------------------------------------------
// The global

/** The events of the global object. */
interface WorkerGlobalScopeEventMap {
  error: ErrorEvent;
  fetch: FetchEvent;
  rejectionhandled: PromiseRejectionEvent;
  scheduled: ScheduledEvent;
  unhandledrejection: PromiseRejectionEvent;
}

declare var self: typeof globalThis;
declare var caches: CacheStorage;
declare var console: Console;
declare var crypto: Crypto;
declare var navigator: Navigator;
declare var performance: Performance;
declare var scheduler: Scheduler;

declare var onerror:
  | ((message: string, filename: string, lineno: number, colno: number, error: unknown) => unknown)
  | null;
declare var onunhandledrejection: ((event: PromiseRejectionEvent) => unknown) | null;
declare var onrejectionhandled: ((event: PromiseRejectionEvent) => unknown) | null;

declare function addEventListener<K extends keyof WorkerGlobalScopeEventMap>(
  type: K,
  listener: EventListenerOf<WorkerGlobalScopeEventMap[K]> | null,
  options?: boolean | AddEventListenerOptions,
): void;
declare function addEventListener(
  type: string,
  listener: EventListenerOf<Event> | null,
  options?: boolean | AddEventListenerOptions,
): void;
declare function removeEventListener<K extends keyof WorkerGlobalScopeEventMap>(
  type: K,
  listener: EventListenerOf<WorkerGlobalScopeEventMap[K]> | null,
  options?: boolean | EventListenerOptions,
): void;
declare function removeEventListener(
  type: string,
  listener: EventListenerOf<Event> | null,
  options?: boolean | EventListenerOptions,
): void;
declare function dispatchEvent(event: Event): boolean;

declare function atob(data: string): string;
declare function btoa(data: string): string;
declare function clearInterval(id?: number): void;
declare function clearTimeout(id?: number): void;
declare function fetch(input: Request | URL | string, init?: RequestInit): Promise<Response>;
declare function queueMicrotask(callback: () => void): void;
declare function reportError(error: unknown): void;
declare function setInterval<Args extends unknown[]>(
  handler: (...args: Args) => unknown,
  delayMs?: number,
  ...args: Args
): number;
declare function setTimeout<Args extends unknown[]>(
  handler: (...args: Args) => unknown,
  delayMs?: number,
  ...args: Args
): number;
declare function structuredClone<T>(value: T, options?: StructuredSerializeOptions): T;

interface StructuredSerializeOptions {
  transfer?: Transferable[];
}
type Transferable = ArrayBuffer | MessagePort | ReadableStream | TransformStream | WritableStream;

declare abstract class Navigator {
  readonly userAgent: string;
}
declare abstract class Scheduler {
  /** Resolves after that time; a signal calls it off. */
  wait(delayMs: number, options?: { signal?: AbortSignal }): Promise<void>;
}

// ---------------------------------------------------------------------------------------------
// Console

interface Console {
  assert(condition?: unknown, ...data: unknown[]): void;
  clear(): void;
  count(label?: string): void;
  countReset(label?: string): void;
  debug(...data: unknown[]): void;
  dir(item?: unknown, options?: { depth?: number | null }): void;
  dirxml(...data: unknown[]): void;
  error(...data: unknown[]): void;
  group(...data: unknown[]): void;
  groupCollapsed(...data: unknown[]): void;
  groupEnd(): void;
  info(...data: unknown[]): void;
  log(...data: unknown[]): void;
  table(data?: unknown, properties?: string[]): void;
  time(label?: string): void;
  timeEnd(label?: string): void;
  timeLog(label?: string, ...data: unknown[]): void;
  trace(...data: unknown[]): void;
  warn(...data: unknown[]): void;
}

// ---------------------------------------------------------------------------------------------
// Events and aborting

interface EventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
}
interface EventListenerOptions {
  capture?: boolean;
}
interface AddEventListenerOptions extends EventListenerOptions {
  once?: boolean;
  passive?: boolean;
  signal?: AbortSignal;
}
type EventListenerOf<E> = ((event: E) => unknown) | { handleEvent(event: E): unknown };

declare class Event {
  static readonly NONE: 0;
  static readonly CAPTURING_PHASE: 1;
  static readonly AT_TARGET: 2;
  static readonly BUBBLING_PHASE: 3;
  constructor(type: string, init?: EventInit);
  readonly NONE: 0;
  readonly CAPTURING_PHASE: 1;
  readonly AT_TARGET: 2;
  readonly BUBBLING_PHASE: 3;
  readonly type: string;
  readonly target: EventTarget | null;
  readonly currentTarget: EventTarget | null;
  readonly eventPhase: number;
  readonly bubbles: boolean;
  readonly cancelable: boolean;
  readonly composed: boolean;
  readonly defaultPrevented: boolean;
  readonly isTrusted: boolean;
  readonly timeStamp: number;
  /** @deprecated Use `target`. */
  readonly srcElement: EventTarget | null;
  /** @deprecated Use `stopPropagation()`. */
  cancelBubble: boolean;
  /** @deprecated Use `defaultPrevented`. */
  returnValue: boolean;
  composedPath(): EventTarget[];
  preventDefault(): void;
  stopImmediatePropagation(): void;
  stopPropagation(): void;
  /** @deprecated Use the constructor. */
  initEvent(type: string, bubbles?: boolean, cancelable?: boolean): void;
}

/** `Events` maps the names of a target's events to their types. */
declare class EventTarget<Events = Record<never, Event>> {
  addEventListener<K extends keyof Events & string>(
    type: K,
    listener: EventListenerOf<Events[K]> | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOf<Event> | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof Events & string>(
    type: K,
    listener: EventListenerOf<Events[K]> | null,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOf<Event> | null,
    options?: boolean | EventListenerOptions,
  ): void;
  dispatchEvent(event: Event): boolean;
}

declare class CustomEvent<T = unknown> extends Event {
  constructor(type: string, init?: EventInit & { detail?: T });
  readonly detail: T;
  /** @deprecated Use the constructor. */
  initCustomEvent(type: string, bubbles?: boolean, cancelable?: boolean, detail?: T): void;
}

interface ErrorEventInit extends EventInit {
  message?: string;
  filename?: string;
  lineno?: number;
  colno?: number;
  error?: unknown;
}
declare class ErrorEvent extends Event {
  constructor(type: string, init?: ErrorEventInit);
  readonly message: string;
  readonly filename: string;
  readonly lineno: number;
  readonly colno: number;
  readonly error: unknown;
}

interface PromiseRejectionEventInit extends EventInit {
  promise: object;
  reason?: unknown;
}
declare class PromiseRejectionEvent extends Event {
  constructor(type: string, init: PromiseRejectionEventInit);
  readonly promise: Promise<unknown>;
  readonly reason: unknown;
}

declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}
declare abstract class AbortSignal extends EventTarget<{ abort: Event }> {
  static abort(reason?: unknown): AbortSignal;
  static any(signals: Iterable<AbortSignal>): AbortSignal;
  static timeout(delayMs: number): AbortSignal;
  readonly aborted: boolean;
  readonly reason: unknown;
  onabort: ((event: Event) => unknown) | null;
  throwIfAborted(): void;
}

declare class DOMException extends Error {
  constructor(message?: string, name?: string);
  readonly code: number;
  readonly message: string;
  readonly name: string;
}

// ---------------------------------------------------------------------------------------------
// Messages

interface MessageEventInit<T = unknown> extends EventInit {
  data?: T;
  lastEventId?: string;
  origin?: string;
  ports?: MessagePort[];
  source?: MessagePort | null;
}
declare class MessageEvent<T = unknown> extends Event {
  constructor(type: string, init?: MessageEventInit<T>);
  readonly data: T;
  readonly lastEventId: string;
  readonly origin: string;
  readonly ports: readonly MessagePort[];
  readonly source: MessagePort | null;
  /** @deprecated Use the constructor. */
  initMessageEvent(
    type: string,
    bubbles?: boolean,
    cancelable?: boolean,
    data?: T,
    origin?: string,
    lastEventId?: string,
    source?: MessagePort | null,
    ports?: MessagePort[],
  ): void;
}
interface MessagePortEventMap {
  close: Event;
  message: MessageEvent;
  messageerror: MessageEvent;
}
declare abstract class MessagePort extends EventTarget<MessagePortEventMap> {
  onclose: ((event: Event) => unknown) | null;
  onmessage: ((event: MessageEvent) => unknown) | null;
  onmessageerror: ((event: MessageEvent) => unknown) | null;
  close(): void;
  postMessage(message: unknown, transfer?: Transferable[] | StructuredSerializeOptions): void;
  start(): void;
}
declare class MessageChannel {
  readonly port1: MessagePort;
  readonly port2: MessagePort;
}

interface BroadcastChannelEventMap {
  message: MessageEvent;
  messageerror: MessageEvent;
}
/** Reaches the worker's own context only. */
declare class BroadcastChannel extends EventTarget<BroadcastChannelEventMap> {
  constructor(name: string);
  readonly name: string;
  onmessage: ((event: MessageEvent) => unknown) | null;
  onmessageerror: ((event: MessageEvent) => unknown) | null;
  close(): void;
  postMessage(message: unknown): void;
}

interface EventSourceEventMap {
  error: Event;
  message: MessageEvent<string>;
  open: Event;
}
declare class EventSource extends EventTarget<EventSourceEventMap> {
  static readonly CONNECTING: 0;
  static readonly OPEN: 1;
  static readonly CLOSED: 2;
  constructor(url: string | URL, init?: { withCredentials?: boolean });
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSED: 2;
  readonly readyState: number;
  readonly url: string;
  readonly withCredentials: boolean;
  onerror: ((event: Event) => unknown) | null;
  onmessage: ((event: MessageEvent<string>) => unknown) | null;
  onopen: ((event: Event) => unknown) | null;
  close(): void;
}

interface CloseEventInit extends EventInit {
  code?: number;
  reason?: string;
  wasClean?: boolean;
}
declare class CloseEvent extends Event {
  constructor(type: string, init?: CloseEventInit);
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}
interface WebSocketEventMap {
  close: CloseEvent;
  error: Event;
  message: MessageEvent<ArrayBuffer | Blob | string>;
  open: Event;
}
/** A message has at most 1 MiB; the connection ends with its request. */
declare class WebSocket extends EventTarget<WebSocketEventMap> {
  static readonly CONNECTING: 0;
  static readonly OPEN: 1;
  static readonly CLOSING: 2;
  static readonly CLOSED: 3;
  constructor(url: string | URL, protocols?: string | Iterable<string>);
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
  binaryType: 'arraybuffer' | 'blob';
  readonly bufferedAmount: number;
  readonly extensions: string;
  readonly protocol: string;
  readonly readyState: number;
  readonly url: string;
  onclose: ((event: CloseEvent) => unknown) | null;
  onerror: ((event: Event) => unknown) | null;
  onmessage: ((event: MessageEvent<ArrayBuffer | Blob | string>) => unknown) | null;
  onopen: ((event: Event) => unknown) | null;
  close(code?: number, reason?: string): void;
  send(data: Blob | BufferSource | string): void;
}

// ---------------------------------------------------------------------------------------------
// URLs

declare class URL {
  static canParse(url: string | URL, base?: string | URL): boolean;
  static createObjectURL(blob: Blob): string;
  static parse(url: string | URL, base?: string | URL): URL | null;
  static revokeObjectURL(url: string): void;
  constructor(url: string | URL, base?: string | URL);
  hash: string;
  host: string;
  hostname: string;
  href: string;
  readonly origin: string;
  password: string;
  pathname: string;
  port: string;
  protocol: string;
  search: string;
  readonly searchParams: URLSearchParams;
  username: string;
  toJSON(): string;
  toString(): string;
}
declare class URLSearchParams implements Iterable<[string, string]> {
  constructor(init?: Iterable<readonly [string, string]> | Record<string, string> | string);
  readonly size: number;
  append(name: string, value: string): void;
  delete(name: string, value?: string): void;
  entries(): IterableIterator<[string, string]>;
  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, thisArg?: unknown): void;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string, value?: string): boolean;
  keys(): IterableIterator<string>;
  set(name: string, value: string): void;
  sort(): void;
  toString(): string;
  values(): IterableIterator<string>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
}

interface URLPatternInit {
  baseURL?: string;
  hash?: string;
  hostname?: string;
  password?: string;
  pathname?: string;
  port?: string;
  protocol?: string;
  search?: string;
  username?: string;
}
interface URLPatternOptions {
  ignoreCase?: boolean;
}
interface URLPatternComponentResult {
  groups: Record<string, string | undefined>;
  input: string;
}
interface URLPatternResult {
  hash: URLPatternComponentResult;
  hostname: URLPatternComponentResult;
  inputs: (string | URLPatternInit)[];
  password: URLPatternComponentResult;
  pathname: URLPatternComponentResult;
  port: URLPatternComponentResult;
  protocol: URLPatternComponentResult;
  search: URLPatternComponentResult;
  username: URLPatternComponentResult;
}
declare class URLPattern {
  constructor(input: string | URLPatternInit, baseURL: string, options?: URLPatternOptions);
  constructor(input?: string | URLPatternInit, options?: URLPatternOptions);
  readonly hasRegExpGroups: boolean;
  readonly hash: string;
  readonly hostname: string;
  readonly password: string;
  readonly pathname: string;
  readonly port: string;
  readonly protocol: string;
  readonly search: string;
  readonly username: string;
  exec(input?: string | URL | URLPatternInit, baseURL?: string): URLPatternResult | null;
  test(input?: string | URL | URLPatternInit, baseURL?: string): boolean;
}

// ---------------------------------------------------------------------------------------------
// Fetch

type BodyInit = ReadableStream<Uint8Array> | Blob | BufferSource | FormData | URLSearchParams | string;
type BufferSource = ArrayBuffer | ArrayBufferView;
type HeadersInit = Headers | Iterable<readonly [string, string]> | Record<string, string>;

/** What Request and Response have in common. */
interface Body {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  readonly bodyUsed: boolean;
  arrayBuffer(): Promise<ArrayBuffer>;
  blob(): Promise<Blob>;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  formData(): Promise<FormData>;
  json<T = unknown>(): Promise<T>;
  text(): Promise<string>;
}

declare class Headers implements Iterable<[string, string]> {
  constructor(init?: HeadersInit);
  append(name: string, value: string): void;
  delete(name: string): void;
  entries(): IterableIterator<[string, string]>;
  forEach(callback: (value: string, name: string, headers: Headers) => void, thisArg?: unknown): void;
  get(name: string): string | null;
  getSetCookie(): string[];
  has(name: string): boolean;
  keys(): IterableIterator<string>;
  set(name: string, value: string): void;
  values(): IterableIterator<string>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
}

interface RequestInit {
  body?: BodyInit | null;
  cache?: string;
  credentials?: string;
  /** Needed where the body is a stream. */
  duplex?: 'half';
  headers?: HeadersInit;
  integrity?: string;
  keepalive?: boolean;
  method?: string;
  mode?: string;
  redirect?: 'follow' | 'error' | 'manual';
  referrer?: string;
  referrerPolicy?: string;
  signal?: AbortSignal | null;
}
interface Request extends Body {}
declare class Request {
  constructor(input: Request | URL | string, init?: RequestInit);
  readonly cache: string;
  readonly credentials: string;
  readonly destination: string;
  readonly duplex: 'half';
  readonly headers: Headers;
  readonly integrity: string;
  readonly keepalive: boolean;
  readonly method: string;
  readonly mode: string;
  readonly redirect: 'follow' | 'error' | 'manual';
  readonly referrer: string;
  readonly referrerPolicy: string;
  readonly signal: AbortSignal;
  readonly url: string;
  clone(): Request;
}

interface ResponseInit {
  headers?: HeadersInit;
  status?: number;
  statusText?: string;
}
interface Response extends Body {}
declare class Response {
  static error(): Response;
  static json(data: unknown, init?: ResponseInit): Response;
  static redirect(url: string | URL, status?: 301 | 302 | 303 | 307 | 308): Response;
  constructor(body?: BodyInit | null, init?: ResponseInit);
  readonly headers: Headers;
  readonly ok: boolean;
  readonly redirected: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly type: 'basic' | 'default' | 'error';
  readonly url: string;
  clone(): Response;
}

type FormDataEntryValue = File | string;
declare class FormData implements Iterable<[string, FormDataEntryValue]> {
  append(name: string, value: Blob | string, filename?: string): void;
  delete(name: string): void;
  entries(): IterableIterator<[string, FormDataEntryValue]>;
  forEach(
    callback: (value: FormDataEntryValue, name: string, data: FormData) => void,
    thisArg?: unknown,
  ): void;
  get(name: string): FormDataEntryValue | null;
  getAll(name: string): FormDataEntryValue[];
  has(name: string): boolean;
  keys(): IterableIterator<string>;
  set(name: string, value: Blob | string, filename?: string): void;
  values(): IterableIterator<FormDataEntryValue>;
  [Symbol.iterator](): IterableIterator<[string, FormDataEntryValue]>;
}

interface BlobPropertyBag {
  endings?: 'native' | 'transparent';
  type?: string;
}
declare class Blob {
  constructor(parts?: Iterable<Blob | BufferSource | string>, options?: BlobPropertyBag);
  readonly size: number;
  readonly type: string;
  arrayBuffer(): Promise<ArrayBuffer>;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  slice(start?: number, end?: number, contentType?: string): Blob;
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>;
  text(): Promise<string>;
}
declare class File extends Blob {
  constructor(
    parts: Iterable<Blob | BufferSource | string>,
    name: string,
    options?: BlobPropertyBag & { lastModified?: number },
  );
  readonly lastModified: number;
  readonly name: string;
}

interface ProgressEventInit extends EventInit {
  lengthComputable?: boolean;
  loaded?: number;
  total?: number;
}
declare class ProgressEvent extends Event {
  constructor(type: string, init?: ProgressEventInit);
  readonly lengthComputable: boolean;
  readonly loaded: number;
  readonly total: number;
}
interface FileReaderEventMap {
  abort: ProgressEvent;
  error: ProgressEvent;
  load: ProgressEvent;
  loadend: ProgressEvent;
  loadstart: ProgressEvent;
  progress: ProgressEvent;
}
declare class FileReader extends EventTarget<FileReaderEventMap> {
  static readonly EMPTY: 0;
  static readonly LOADING: 1;
  static readonly DONE: 2;
  readonly EMPTY: 0;
  readonly LOADING: 1;
  readonly DONE: 2;
  readonly error: DOMException | null;
  readonly readyState: number;
  readonly result: ArrayBuffer | string | null;
  onabort: ((event: ProgressEvent) => unknown) | null;
  onerror: ((event: ProgressEvent) => unknown) | null;
  onload: ((event: ProgressEvent) => unknown) | null;
  onloadend: ((event: ProgressEvent) => unknown) | null;
  onloadstart: ((event: ProgressEvent) => unknown) | null;
  onprogress: ((event: ProgressEvent) => unknown) | null;
  abort(): void;
  readAsArrayBuffer(blob: Blob): void;
  readAsBinaryString(blob: Blob): void;
  readAsDataURL(blob: Blob): void;
  readAsText(blob: Blob, encoding?: string): void;
}

// ---------------------------------------------------------------------------------------------
// Caches

interface CacheQueryOptions {
  ignoreMethod?: boolean;
  ignoreSearch?: boolean;
  ignoreVary?: boolean;
}
/** Responses that outlive their requests; what was not used for long may go at any time. */
declare abstract class Cache {
  add(request: Request | URL | string): Promise<void>;
  addAll(requests: Iterable<Request | URL | string>): Promise<void>;
  delete(request: Request | URL | string, options?: CacheQueryOptions): Promise<boolean>;
  keys(request?: Request | URL | string, options?: CacheQueryOptions): Promise<Request[]>;
  match(request: Request | URL | string, options?: CacheQueryOptions): Promise<Response | undefined>;
  matchAll(request?: Request | URL | string, options?: CacheQueryOptions): Promise<Response[]>;
  put(request: Request | URL | string, response: Response): Promise<void>;
}
declare abstract class CacheStorage {
  /** The cache that `open('default')` gives. */
  readonly default: Cache;
  delete(name: string): Promise<boolean>;
  has(name: string): Promise<boolean>;
  keys(): Promise<string[]>;
  match(
    request: Request | URL | string,
    options?: CacheQueryOptions & { cacheName?: string },
  ): Promise<Response | undefined>;
  open(name: string): Promise<Cache>;
}

// ---------------------------------------------------------------------------------------------
// Streams

interface QueuingStrategy<T = unknown> {
  highWaterMark?: number;
  size?(chunk: T): number;
}
declare class ByteLengthQueuingStrategy implements QueuingStrategy<ArrayBufferView> {
  constructor(init: { highWaterMark: number });
  readonly highWaterMark: number;
  readonly size: (chunk: ArrayBufferView) => number;
}
declare class CountQueuingStrategy implements QueuingStrategy {
  constructor(init: { highWaterMark: number });
  readonly highWaterMark: number;
  readonly size: () => number;
}

interface UnderlyingSource<T = unknown> {
  type?: undefined;
  cancel?(reason?: unknown): unknown;
  pull?(controller: ReadableStreamDefaultController<T>): unknown;
  start?(controller: ReadableStreamDefaultController<T>): unknown;
}
interface UnderlyingByteSource {
  autoAllocateChunkSize?: number;
  type: 'bytes';
  cancel?(reason?: unknown): unknown;
  pull?(controller: ReadableByteStreamController): unknown;
  start?(controller: ReadableByteStreamController): unknown;
}
interface StreamPipeOptions {
  preventAbort?: boolean;
  preventCancel?: boolean;
  preventClose?: boolean;
  signal?: AbortSignal;
}
interface ReadableWritablePair<R = unknown, W = unknown> {
  readable: ReadableStream<R>;
  writable: WritableStream<W>;
}
type ReadResult<T> = { done: false; value: T } | { done: true; value: T | undefined };

declare class ReadableStream<T = unknown> implements AsyncIterable<T> {
  static from<T>(source: AsyncIterable<T> | Iterable<T | PromiseLike<T>>): ReadableStream<T>;
  constructor(source: UnderlyingByteSource, strategy?: { highWaterMark?: number });
  constructor(source?: UnderlyingSource<T>, strategy?: QueuingStrategy<T>);
  readonly locked: boolean;
  cancel(reason?: unknown): Promise<void>;
  getReader(options: { mode: 'byob' }): ReadableStreamBYOBReader;
  getReader(options?: { mode?: undefined }): ReadableStreamDefaultReader<T>;
  pipeThrough<R>(transform: ReadableWritablePair<R, T>, options?: StreamPipeOptions): ReadableStream<R>;
  pipeTo(destination: WritableStream<T>, options?: StreamPipeOptions): Promise<void>;
  tee(): [ReadableStream<T>, ReadableStream<T>];
  values(options?: { preventCancel?: boolean }): AsyncIterableIterator<T>;
  [Symbol.asyncIterator](options?: { preventCancel?: boolean }): AsyncIterableIterator<T>;
}
declare class ReadableStreamDefaultReader<T = unknown> {
  constructor(stream: ReadableStream<T>);
  readonly closed: Promise<void>;
  cancel(reason?: unknown): Promise<void>;
  read(): Promise<ReadResult<T>>;
  releaseLock(): void;
}
declare class ReadableStreamBYOBReader {
  constructor(stream: ReadableStream<Uint8Array>);
  readonly closed: Promise<void>;
  cancel(reason?: unknown): Promise<void>;
  read<V extends ArrayBufferView>(view: V, options?: { min?: number }): Promise<ReadResult<V>>;
  releaseLock(): void;
}
declare abstract class ReadableStreamDefaultController<T = unknown> {
  readonly desiredSize: number | null;
  close(): void;
  enqueue(chunk: T): void;
  error(reason?: unknown): void;
}
declare abstract class ReadableByteStreamController {
  readonly byobRequest: ReadableStreamBYOBRequest | null;
  readonly desiredSize: number | null;
  close(): void;
  enqueue(chunk: ArrayBufferView): void;
  error(reason?: unknown): void;
}
declare abstract class ReadableStreamBYOBRequest {
  readonly view: Uint8Array | null;
  respond(bytesWritten: number): void;
  respondWithNewView(view: ArrayBufferView): void;
}

interface UnderlyingSink<T = unknown> {
  type?: undefined;
  abort?(reason?: unknown): unknown;
  close?(): unknown;
  start?(controller: WritableStreamDefaultController): unknown;
  write?(chunk: T, controller: WritableStreamDefaultController): unknown;
}
declare class WritableStream<T = unknown> {
  constructor(sink?: UnderlyingSink<T>, strategy?: QueuingStrategy<T>);
  readonly locked: boolean;
  abort(reason?: unknown): Promise<void>;
  close(): Promise<void>;
  getWriter(): WritableStreamDefaultWriter<T>;
}
declare class WritableStreamDefaultWriter<T = unknown> {
  constructor(stream: WritableStream<T>);
  readonly closed: Promise<void>;
  readonly desiredSize: number | null;
  readonly ready: Promise<void>;
  abort(reason?: unknown): Promise<void>;
  close(): Promise<void>;
  releaseLock(): void;
  write(chunk?: T): Promise<void>;
}
declare abstract class WritableStreamDefaultController {
  readonly signal: AbortSignal;
  error(reason?: unknown): void;
}

interface Transformer<I = unknown, O = unknown> {
  readableType?: undefined;
  writableType?: undefined;
  cancel?(reason: unknown): unknown;
  flush?(controller: TransformStreamDefaultController<O>): unknown;
  start?(controller: TransformStreamDefaultController<O>): unknown;
  transform?(chunk: I, controller: TransformStreamDefaultController<O>): unknown;
}
declare class TransformStream<I = unknown, O = unknown> {
  constructor(
    transformer?: Transformer<I, O>,
    writableStrategy?: QueuingStrategy<I>,
    readableStrategy?: QueuingStrategy<O>,
  );
  readonly readable: ReadableStream<O>;
  readonly writable: WritableStream<I>;
}
declare abstract class TransformStreamDefaultController<O = unknown> {
  readonly desiredSize: number | null;
  enqueue(chunk?: O): void;
  error(reason?: unknown): void;
  terminate(): void;
}

type CompressionFormat = 'deflate' | 'deflate-raw' | 'gzip';
declare class CompressionStream {
  constructor(format: CompressionFormat);
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<BufferSource>;
}
declare class DecompressionStream {
  constructor(format: CompressionFormat);
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<BufferSource>;
}

// ---------------------------------------------------------------------------------------------
// Encoding

declare class TextEncoder {
  readonly encoding: 'utf-8';
  encode(text?: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, destination: Uint8Array): { read: number; written: number };
}
interface TextDecoderOptions {
  fatal?: boolean;
  ignoreBOM?: boolean;
}
declare class TextDecoder {
  constructor(label?: string, options?: TextDecoderOptions);
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(bytes?: BufferSource, options?: { stream?: boolean }): string;
}
declare class TextEncoderStream {
  readonly encoding: 'utf-8';
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<string>;
}
declare class TextDecoderStream {
  constructor(label?: string, options?: TextDecoderOptions);
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  readonly readable: ReadableStream<string>;
  readonly writable: WritableStream<BufferSource>;
}

// ---------------------------------------------------------------------------------------------
// Crypto

type AlgorithmIdentifier = string | { name: string };
type KeyFormat = 'jwk' | 'pkcs8' | 'raw' | 'spki';
type KeyType = 'private' | 'public' | 'secret';
type KeyUsage =
  | 'decrypt'
  | 'deriveBits'
  | 'deriveKey'
  | 'encrypt'
  | 'sign'
  | 'unwrapKey'
  | 'verify'
  | 'wrapKey';
interface CryptoKeyPair {
  privateKey: CryptoKey;
  publicKey: CryptoKey;
}
/** A key as RFC 7517 writes it. */
interface JsonWebKey {
  alg?: string;
  crv?: string;
  d?: string;
  dp?: string;
  dq?: string;
  e?: string;
  ext?: boolean;
  k?: string;
  key_ops?: string[];
  kty?: string;
  n?: string;
  p?: string;
  q?: string;
  qi?: string;
  use?: string;
  x?: string;
  y?: string;
}
/** An algorithm's name and its parameters, which differ from one to the next. */
interface AlgorithmParameters {
  name: string;
  [parameter: string]: unknown;
}

declare abstract class Crypto {
  readonly subtle: SubtleCrypto;
  getRandomValues<T extends ArrayBufferView>(view: T): T;
  randomUUID(): `${string}-${string}-${string}-${string}-${string}`;
}
declare abstract class CryptoKey {
  readonly algorithm: AlgorithmParameters;
  readonly extractable: boolean;
  readonly type: KeyType;
  readonly usages: KeyUsage[];
}
declare abstract class SubtleCrypto {
  decrypt(algorithm: AlgorithmParameters, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
  deriveBits(algorithm: AlgorithmParameters, key: CryptoKey, length?: number | null): Promise<ArrayBuffer>;
  deriveKey(
    algorithm: AlgorithmParameters,
    key: CryptoKey,
    derived: string | AlgorithmParameters,
    extractable: boolean,
    usages: Iterable<KeyUsage>,
  ): Promise<CryptoKey>;
  digest(algorithm: AlgorithmIdentifier, data: BufferSource): Promise<ArrayBuffer>;
  encrypt(algorithm: AlgorithmParameters, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
  exportKey(format: 'jwk', key: CryptoKey): Promise<JsonWebKey>;
  exportKey(format: Exclude<KeyFormat, 'jwk'>, key: CryptoKey): Promise<ArrayBuffer>;
  generateKey(
    algorithm: string | AlgorithmParameters,
    extractable: boolean,
    usages: Iterable<KeyUsage>,
  ): Promise<CryptoKey | CryptoKeyPair>;
  importKey(
    format: 'jwk',
    key: JsonWebKey,
    algorithm: string | AlgorithmParameters,
    extractable: boolean,
    usages: Iterable<KeyUsage>,
  ): Promise<CryptoKey>;
  importKey(
    format: Exclude<KeyFormat, 'jwk'>,
    key: BufferSource,
    algorithm: string | AlgorithmParameters,
    extractable: boolean,
    usages: Iterable<KeyUsage>,
  ): Promise<CryptoKey>;
  sign(algorithm: string | AlgorithmParameters, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
  unwrapKey(
    format: KeyFormat,
    wrapped: BufferSource,
    unwrappingKey: CryptoKey,
    unwrapping: string | AlgorithmParameters,
    algorithm: string | AlgorithmParameters,
    extractable: boolean,
    usages: Iterable<KeyUsage>,
  ): Promise<CryptoKey>;
  verify(
    algorithm: string | AlgorithmParameters,
    key: CryptoKey,
    signature: BufferSource,
    data: BufferSource,
  ): Promise<boolean>;
  wrapKey(
    format: KeyFormat,
    key: CryptoKey,
    wrappingKey: CryptoKey,
    algorithm: string | AlgorithmParameters,
  ): Promise<ArrayBuffer>;
}

// ---------------------------------------------------------------------------------------------
// Performance

declare abstract class PerformanceEntry {
  readonly duration: number;
  readonly entryType: string;
  readonly name: string;
  readonly startTime: number;
  toJSON(): object;
}
interface PerformanceMarkOptions {
  detail?: unknown;
  startTime?: number;
}
declare class PerformanceMark extends PerformanceEntry {
  constructor(name: string, options?: PerformanceMarkOptions);
  readonly detail: unknown;
}
declare abstract class PerformanceMeasure extends PerformanceEntry {
  readonly detail: unknown;
}
interface PerformanceMeasureOptions {
  detail?: unknown;
  duration?: number;
  end?: number | string;
  start?: number | string;
}
declare abstract class PerformanceObserverEntryList {
  getEntries(): PerformanceEntry[];
  getEntriesByName(name: string, type?: string): PerformanceEntry[];
  getEntriesByType(type: string): PerformanceEntry[];
}
declare class PerformanceObserver {
  static readonly supportedEntryTypes: readonly string[];
  constructor(callback: (entries: PerformanceObserverEntryList, observer: PerformanceObserver) => void);
  disconnect(): void;
  observe(options: { buffered?: boolean; entryTypes?: string[]; type?: string }): void;
  takeRecords(): PerformanceEntry[];
}
/** The clock has a resolution of 100 µs. */
declare abstract class Performance extends EventTarget {
  readonly timeOrigin: number;
  clearMarks(name?: string): void;
  clearMeasures(name?: string): void;
  getEntries(): PerformanceEntry[];
  getEntriesByName(name: string, type?: string): PerformanceEntry[];
  getEntriesByType(type: string): PerformanceEntry[];
  mark(name: string, options?: PerformanceMarkOptions): PerformanceMark;
  measure(
    name: string,
    startOrOptions?: string | PerformanceMeasureOptions,
    endMark?: string,
  ): PerformanceMeasure;
  now(): number;
  toJSON(): object;
}

// ---------------------------------------------------------------------------------------------
// Asynchronous context

/** Values that follow a program through promises and timers (a proposal for the language). */
declare namespace AsyncContext {
  class Variable<T = unknown> {
    constructor(options?: { defaultValue?: T; name?: string });
    readonly name: string;
    get(): T | undefined;
    run<R, Args extends unknown[]>(value: T, fn: (...args: Args) => R, ...args: Args): R;
  }
  class Snapshot {
    static wrap<F extends (...args: never[]) => unknown>(fn: F): F;
    run<R, Args extends unknown[]>(fn: (...args: Args) => R, ...args: Args): R;
  }
}
/** As in Node.js; also exported by the module `node:async_hooks`. */
declare class AsyncLocalStorage<T = unknown> {
  static bind<F extends (...args: never[]) => unknown>(fn: F): F;
  static snapshot(): <R, Args extends unknown[]>(fn: (...args: Args) => R, ...args: Args) => R;
  constructor(options?: { defaultValue?: T; name?: string });
  readonly name: string;
  disable(): void;
  enterWith(store: T): void;
  exit<R, Args extends unknown[]>(callback: (...args: Args) => R, ...args: Args): R;
  getStore(): T | undefined;
  run<R, Args extends unknown[]>(store: T, callback: (...args: Args) => R, ...args: Args): R;
}

declare module 'node:async_hooks' {
  const Storage: typeof AsyncLocalStorage;
  class AsyncResource {
    static bind<F extends (...args: never[]) => unknown>(fn: F, type?: string, thisArg?: unknown): F;
    constructor(type: string);
    readonly type: string;
    bind<F extends (...args: never[]) => unknown>(fn: F, thisArg?: unknown): F;
    emitDestroy(): this;
    runInAsyncScope<R, Args extends unknown[]>(fn: (...args: Args) => R, thisArg?: unknown, ...args: Args): R;
  }

  export { AsyncResource, Storage as AsyncLocalStorage };

  const members: { AsyncLocalStorage: typeof Storage; AsyncResource: typeof AsyncResource };
  export default members;
}

// ---------------------------------------------------------------------------------------------
// WebAssembly

declare namespace WebAssembly {
  type ExternKind = 'function' | 'global' | 'memory' | 'table' | 'tag';
  type ValueType = 'anyfunc' | 'externref' | 'f32' | 'f64' | 'i32' | 'i64' | 'v128';
  type Exports = Record<string, unknown>;
  type Imports = Record<string, Record<string, unknown>>;
  interface InstantiatedSource {
    instance: Instance;
    module: Module;
  }

  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}
  class Exception {
    constructor(tag: Tag, payload: Iterable<unknown>, options?: { traceStack?: boolean });
    getArg(tag: Tag, index: number): unknown;
    is(tag: Tag): boolean;
  }
  class Global<T = unknown> {
    constructor(descriptor: { mutable?: boolean; value: ValueType }, value?: T);
    value: T;
    valueOf(): T;
  }
  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Exports;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Module {
    static customSections(module: Module, name: string): ArrayBuffer[];
    static exports(module: Module): { kind: ExternKind; name: string }[];
    static imports(module: Module): { kind: ExternKind; module: string; name: string }[];
    constructor(bytes: BufferSource);
  }
  class Table {
    constructor(
      descriptor: { element: 'anyfunc' | 'externref'; initial: number; maximum?: number },
      value?: unknown,
    );
    readonly length: number;
    get(index: number): unknown;
    grow(delta: number, value?: unknown): number;
    set(index: number, value?: unknown): void;
  }
  class Tag {
    constructor(type: { parameters: Iterable<ValueType> });
  }

  const JSTag: Tag;
  function compile(bytes: BufferSource): Promise<Module>;
  function compileStreaming(source: Response | PromiseLike<Response>): Promise<Module>;
  function instantiate(bytes: BufferSource, imports?: Imports): Promise<InstantiatedSource>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
  function instantiateStreaming(
    source: Response | PromiseLike<Response>,
    imports?: Imports,
  ): Promise<InstantiatedSource>;
  function validate(bytes: BufferSource): boolean;
}
