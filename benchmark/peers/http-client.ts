// Owns how a peer that is a server is asked: the http module of Node, over loopback, with connections kept alive.

import { Agent, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeStream } from 'node:stream/web';
import type { Tenant } from './peer.js';
import { PATH_OF_REQUEST } from './worker-source.js';

const agent = new Agent({ keepAlive: true });

/** A tenant at a port of this machine. */
export function httpTenant(port: number, close: Tenant['close'], path = PATH_OF_REQUEST): Tenant {
  const target = { host: '127.0.0.1', port, path, agent };
  return {
    answer: async (body) =>
      textOf(await send({ ...target, method: body === undefined ? 'GET' : 'POST' }, body)),
    download: () => send({ ...target, method: 'GET' }),
    close,
  };
}

interface Target {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly agent: Agent;
  readonly method: string;
}

function send(target: Target, body?: ReadableStream<Uint8Array>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(target, (message) => {
      if (message.statusCode === 200) resolve(message);
      else textOf(message).then((text) => reject(new Error(`${message.statusCode} ${text}`)), reject);
    });
    sent.on('error', reject);
    if (body === undefined) sent.end();
    else Readable.fromWeb(body as NodeStream<Uint8Array>).pipe(sent);
  });
}

async function textOf(message: IncomingMessage): Promise<string> {
  message.setEncoding('utf8');
  let text = '';
  for await (const chunk of message) text += chunk;
  return text;
}
