// Owns the reading of RequestLike: checked, and in the form that crosses the binding.

import { types } from 'node:util';
import { checkOptions } from './check.js';
import { requestHead } from './message-head.js';
import type { BodyLike, HeadersLike, RequestInitLike, RequestLike } from './types.js';
import { invalidArgument } from './worker-error.js';

/** A request ready to cross: its stream, if it has one, is not locked yet. */
export interface ParsedRequest {
  readonly head: string;
  readonly body: string | Uint8Array | ReadableStream<Uint8Array> | undefined;
  /** The signal of a `Request` object. */
  readonly signal: AbortSignal | undefined;
}

const INIT_KEYS: ReadonlyArray<keyof RequestInitLike> = ['url', 'method', 'headers', 'body'];

export function parseRequest(request: RequestLike): ParsedRequest {
  if (typeof request === 'string') return withoutBody(parseUrl(request, 'request'));
  if (request instanceof URL) return withoutBody(parseUrl(request.href, 'request'));
  if (isRequest(request)) return parseRequestObject(request);
  if (typeof request !== 'object' || request === null) {
    throw invalidArgument('request', 'a URL, a Request, or its parts', request);
  }
  checkOptions(request, 'request', INIT_KEYS);
  return parseInit(request);
}

function withoutBody(url: string): ParsedRequest {
  return { head: `GET\n${url}`, body: undefined, signal: undefined };
}

function isRequest(value: unknown): value is Request {
  if (value instanceof Request) return true;
  // One of another realm or of another copy of undici.
  const { [Symbol.toStringTag]: tag } = Object(value) as { [Symbol.toStringTag]?: unknown };
  return tag === 'Request';
}

function parseRequestObject(request: Request): ParsedRequest {
  if (request.bodyUsed) throw invalidArgument('request', 'a Request whose body has not been read', request);
  const url = parseUrl(request.url, 'request.url');
  return {
    head: requestHead(request.method, url, request.headers),
    body: request.body ?? undefined,
    signal: request.signal,
  };
}

function parseInit(init: RequestInitLike): ParsedRequest {
  const url = parseUrl(init.url instanceof URL ? init.url.href : init.url, 'request.url');
  const method = init.method === undefined ? 'GET' : parseMethod(init.method);
  let headers = init.headers === undefined ? undefined : parseHeaders(init.headers);
  if (init.body === undefined || init.body === null) {
    return { head: requestHead(method, url, headers), body: undefined, signal: undefined };
  }
  if (method === 'GET' || method === 'HEAD') {
    throw invalidArgument('request.body', `no body for the method ${method}`, init.body);
  }
  const { body, contentType } = parseBody(init.body);
  if (contentType !== undefined) {
    headers ??= new Headers();
    if (!headers.has('content-type')) headers.set('content-type', contentType);
  }
  return { head: requestHead(method, url, headers), body, signal: undefined };
}

/**
 * URLs that are valid without asking the parser, by far the most: a host of plain names and, after it,
 * printable ASCII. Native code brings every URL into its normal form, these too.
 */
const PLAINLY_VALID =
  /^https?:\/\/(?![^/?#]*xn--)(?:[a-z0-9-]+\.)*[a-z]+(?::\d{1,4})?(?:[/?#][\x21-\x7e]*)?$/i;

function parseUrl(url: unknown, argument: string): string {
  const expected = 'an absolute http or https URL';
  if (typeof url !== 'string') throw invalidArgument(argument, expected, url);
  if (PLAINLY_VALID.test(url)) return url;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) {
    throw invalidArgument(argument, expected, url);
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw invalidArgument(
      argument,
      `${expected} without credentials`,
      `${parsed.protocol}//…@${parsed.host}`,
    );
  }
  return parsed.href;
}

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const NORMALISED_METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'];
const FORBIDDEN_METHODS = ['CONNECT', 'TRACE', 'TRACK'];

/** The method as the Fetch standard normalises it. */
function parseMethod(method: unknown): string {
  if (typeof method !== 'string' || !METHOD.test(method)) {
    throw invalidArgument('request.method', 'an HTTP method', method);
  }
  const upper = method.toUpperCase();
  if (FORBIDDEN_METHODS.includes(upper)) {
    throw invalidArgument('request.method', `a method other than ${FORBIDDEN_METHODS.join(', ')}`, method);
  }
  return NORMALISED_METHODS.includes(upper) ? upper : method;
}

function parseHeaders(headers: HeadersLike): Headers {
  try {
    return new Headers(headers as ConstructorParameters<typeof Headers>[0]);
  } catch (error) {
    const reason = error instanceof Error ? ` (${error.message})` : '';
    throw invalidArgument('request.headers', `valid HTTP headers${reason}`, headers);
  }
}

interface ParsedBody {
  readonly body: string | Uint8Array | ReadableStream<Uint8Array>;
  readonly contentType: string | undefined;
}

function parseBody(body: BodyLike): ParsedBody {
  if (typeof body === 'string') return { body, contentType: 'text/plain;charset=UTF-8' };
  if (body instanceof Uint8Array) return { body, contentType: undefined };
  if (ArrayBuffer.isView(body)) {
    return { body: new Uint8Array(body.buffer, body.byteOffset, body.byteLength), contentType: undefined };
  }
  if (types.isArrayBuffer(body)) return { body: new Uint8Array(body), contentType: undefined };
  if (body instanceof URLSearchParams) {
    return { body: body.toString(), contentType: 'application/x-www-form-urlencoded;charset=UTF-8' };
  }
  if (body instanceof Blob) {
    return {
      body: body.stream() as ReadableStream<Uint8Array>,
      contentType: body.type === '' ? undefined : body.type,
    };
  }
  if (body instanceof FormData) return encodeForm(body);
  if (body instanceof ReadableStream) {
    if (body.locked) throw invalidArgument('request.body', 'a stream that is not locked', body);
    return { body: body as ReadableStream<Uint8Array>, contentType: undefined };
  }
  const kinds = 'a string, ArrayBuffer, view, Blob, FormData, URLSearchParams, ReadableStream or null';
  throw invalidArgument('request.body', kinds, body);
}

/** Encoded by the platform, which also chooses the boundary. */
function encodeForm(form: FormData): ParsedBody {
  const encoded = new Response(form);
  return {
    body: encoded.body ?? '',
    contentType: encoded.headers.get('content-type') ?? undefined,
  };
}
