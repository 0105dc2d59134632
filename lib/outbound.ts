// Owns the fetches of guests that a function of the host answers in the place of the network.

import type { BindingBodyReader, BindingCell } from '#binding';
import { streamFromBytes, streamFromReader } from './body-reader.js';
import { sendResponseBody } from './body-writer.js';
import { registeredFunction } from './functions.js';
import type { Link } from './link.js';
import { headersFrom } from './message-head.js';
import type { OutboundHandler } from './types.js';

/** Fetches under way by their call number, so that a guest's abort reaches the handler's request. */
const underWay = new Map<number, AbortController>();

/** Asks the handler and answers, whatever happens. The head is `function method url redirect`, then headers. */
export async function answerOutbound(
  link: Link,
  call: number,
  head: string,
  body: BindingCell,
): Promise<void> {
  const controller = new AbortController();
  underWay.set(call, controller);
  try {
    const [functionNumber, method, url, redirect, ...headers] = head.split('\n');
    const handler = registeredFunction<OutboundHandler>(Number(functionNumber));
    if (handler === undefined) throw new Error('The outbound function is gone');
    const request = new Request(url as string, {
      method: method as string,
      headers: headersFrom(headers),
      redirect: redirect as Request['redirect'],
      signal: controller.signal,
      ...(body === undefined ? {} : { body: readableBody(body), duplex: 'half' as const }),
    });
    await answer(link, call, await handler(request));
  } catch (error) {
    link.connection.failOutbound(call, error instanceof Error ? error.message : String(error));
  } finally {
    underWay.delete(call);
  }
}

/** The guest no longer waits for this fetch. */
export function abandonOutbound(call: number): void {
  underWay.get(call)?.abort(new DOMException('The worker no longer waits for this fetch', 'AbortError'));
}

function readableBody(body: BindingCell): string | ReadableStream<Uint8Array> {
  if (typeof body === 'string') return body;
  return body instanceof Uint8Array ? streamFromBytes(body) : streamFromReader(body as BindingBodyReader);
}

async function answer({ connection, deliver }: Link, call: number, response: unknown): Promise<void> {
  if (!isResponse(response)) throw new TypeError('The outbound function must return a Response');
  if (response.type === 'error') throw new TypeError('The outbound function returned Response.error()');
  if (response.bodyUsed) throw new TypeError('The outbound function returned a Response whose body was read');
  let head = `${response.status}\n${response.statusText}\n${response.url}\n${response.redirected ? 1 : 0}`;
  for (const [name, value] of response.headers) head += `\n${name}\n${value}`;
  const body = response.body === null ? undefined : await sendResponseBody(connection, response.body);
  deliver(connection.answerOutbound(call, head, body));
}

function isResponse(value: unknown): value is Response {
  if (value instanceof Response) return true;
  const { [Symbol.toStringTag]: tag } = Object(value) as { [Symbol.toStringTag]?: unknown };
  return tag === 'Response';
}
