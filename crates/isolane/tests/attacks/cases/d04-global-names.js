// A guest sees the globals that are documented, and no others.
// modes: worker context pool process
// expect: response 200 ok
const expected = new Set(
  `AbortController AbortSignal Blob ByteLengthQueuingStrategy CompressionStream CountQueuingStrategy Crypto CryptoKey CustomEvent
  DOMException DecompressionStream ErrorEvent Event EventTarget FetchEvent File FormData Headers PromiseRejectionEvent ReadableByteStreamController
  ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader
  Request Response ScheduledEvent SubtleCrypto TextDecoder TextDecoderStream TextEncoder TextEncoderStream TransformStream
  TransformStreamDefaultController URL URLSearchParams WritableStream WritableStreamDefaultController
  WritableStreamDefaultWriter Performance ProgressEvent MessageEvent CloseEvent addEventListener atob btoa clearInterval clearTimeout console crypto
  dispatchEvent fetch performance queueMicrotask removeEventListener reportError self setInterval setTimeout structuredClone
  AsyncContext AsyncLocalStorage BroadcastChannel Cache CacheStorage caches EventSource ExtendableEvent FileReader MessageChannel
  MessagePort Navigator navigator onerror onrejectionhandled onunhandledrejection PerformanceEntry PerformanceMark
  PerformanceMeasure PerformanceObserver PerformanceObserverEntryList Scheduler scheduler URLPattern WebSocket
  Array ArrayBuffer AggregateError AsyncDisposableStack Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date
  DisposableStack Error EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity Int16Array
  Int32Array Int8Array Intl Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp
  Set String SuppressedError Symbol SyntaxError Temporal TypeError URIError Uint16Array Uint32Array Uint8Array
  Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval
  globalThis isFinite isNaN parseFloat parseInt undefined unescape`.split(/\s+/),
);
const unknown = Reflect.ownKeys(globalThis).filter((key) => !expected.has(key)).map(String);
return new Response(unknown.length === 0 ? 'ok' : unknown.join());
