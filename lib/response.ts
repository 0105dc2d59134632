// Owns the class behind WorkerResponse: the status, headers and usage are parsed when first asked
// for, and a body that came whole stays as it came.

import { Readable } from 'node:stream';
import type { BindingBodyReader, BindingCell } from '#binding';
import { readAll, streamFromBytes, streamFromReader } from './body-reader.js';
import { headersFrom, parseResponseHead, type ResponseHead } from './message-head.js';
import type { RunUsage, WorkerResponse } from './types.js';

const BYTE_ORDER_MARK = 0xfeff;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** How a body crossed: as text, as bytes, as a stream to pull, or not at all. */
type NativeBody = string | Uint8Array | BindingBodyReader | undefined;

/** @internal */
export class ReceivedResponse implements WorkerResponse {
  readonly #head: string;
  readonly #native: NativeBody;
  #parsed: ResponseHead | undefined;
  #headers: Headers | undefined;
  #stream: ReadableStream<Uint8Array> | undefined;
  #used = false;

  constructor(head: BindingCell, body: BindingCell) {
    this.#head = head as string;
    this.#native = body as NativeBody;
  }

  get #fields(): ResponseHead {
    this.#parsed ??= parseResponseHead(this.#head);
    return this.#parsed;
  }

  get status(): number {
    return this.#fields.status;
  }

  get statusText(): string {
    return this.#fields.statusText;
  }

  get ok(): boolean {
    const { status } = this.#fields;
    return status >= 200 && status <= 299;
  }

  get headers(): Headers {
    this.#headers ??= headersFrom(this.#fields.headers);
    return this.#headers;
  }

  get usage(): RunUsage {
    return this.#fields.usage;
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.#native === undefined) return null;
    this.#stream ??= this.#openStream(this.#native);
    return this.#stream;
  }

  get bodyUsed(): boolean {
    return this.#used || (this.#stream !== undefined && Readable.isDisturbed(this.#stream as never));
  }

  async text(): Promise<string> {
    const body = this.#take();
    if (typeof body !== 'string') return decoder.decode(await whole(body));
    return body.charCodeAt(0) === BYTE_ORDER_MARK ? body.slice(1) : body;
  }

  async json<T = unknown>(): Promise<T> {
    return JSON.parse(await this.text()) as T;
  }

  async bytes(): Promise<Uint8Array> {
    const body = this.#take();
    return typeof body === 'string' ? encoder.encode(body) : await whole(body);
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = await this.bytes();
    const { buffer } = bytes;
    if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) return buffer;
    return bytes.slice().buffer as ArrayBuffer;
  }

  async blob(): Promise<Blob> {
    const type = this.headers.get('content-type') ?? '';
    return new Blob([await this.bytes()], { type });
  }

  toResponse(): Response {
    const { status, statusText } = this.#fields;
    const body = this.#native === undefined ? null : this.#bodyForResponse();
    return new Response(body, { status, statusText, headers: this.headers });
  }

  /** Not the text itself: `Response` would add a content-type that the worker left out. */
  #bodyForResponse(): Uint8Array | ReadableStream<Uint8Array> {
    const body = this.#take();
    if (typeof body === 'string') return encoder.encode(body);
    if (body === undefined || body instanceof Uint8Array) return body ?? new Uint8Array(0);
    return body instanceof ReadableStream ? body : streamFromReader(body);
  }

  #openStream(native: Exclude<NativeBody, undefined>): ReadableStream<Uint8Array> {
    if (this.#used) {
      const spent = new ReadableStream<Uint8Array>();
      void spent.cancel();
      return spent;
    }
    if (typeof native === 'string') return streamFromBytes(encoder.encode(native));
    return native instanceof Uint8Array ? streamFromBytes(native) : streamFromReader(native);
  }

  /** The body, which nobody can take again. */
  #take(): NativeBody | ReadableStream<Uint8Array> {
    if (this.bodyUsed || this.#stream?.locked)
      throw new TypeError('Body is unusable: it has been read already');
    if (this.#native === undefined) return undefined;
    this.#used = true;
    return this.#stream ?? this.#native;
  }
}

async function whole(body: Exclude<NativeBody, string> | ReadableStream<Uint8Array>): Promise<Uint8Array> {
  if (body === undefined) return new Uint8Array(0);
  if (body instanceof Uint8Array) return body;
  if (body instanceof ReadableStream) return new Uint8Array(await new Response(body).arrayBuffer());
  return await readAll(body);
}
