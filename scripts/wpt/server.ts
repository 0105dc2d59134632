// Owns the loopback server of the files that tests fetch: static files with the `pipe` functions that they use,
// and, by name, what their own server has scripts for.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

export interface FileServer {
  readonly origin: string;
  close(): void;
}

interface Exchange {
  readonly url: URL;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.txt': 'text/plain',
  '.wasm': 'application/wasm',
};

/** Starts a server of the folder on a free port. */
export async function serveFolder(folder: string): Promise<FileServer> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    answer(folder, { url, request, response }).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(folder: string, exchange: Exchange): Promise<void> {
  const name = decodeURIComponent(exchange.url.pathname);
  const handler = HANDLERS.get(name);
  if (handler !== undefined) return await handler(folder, exchange);
  const { response } = exchange;
  const file = path.join(folder, path.posix.normalize(name));
  if (name.endsWith('.py')) response.writeHead(501).end('there is no handler for this script');
  else if (!existsSync(file) || !statSync(file).isFile()) response.writeHead(404).end();
  else sendBytes(readFileSync(file), exchange);
}

function sendBytes(bytes: Buffer, { url, response }: Exchange): void {
  response.setHeader('content-type', TYPES[path.extname(url.pathname)] ?? 'application/octet-stream');
  let status = 200;
  for (const { name, args } of parsePipe(url.searchParams.get('pipe') ?? '')) {
    if (name === 'status') status = Number(args[0]);
    else if (name === 'header') response.setHeader(args[0] ?? '', args[1] ?? '');
    else throw new Error(`the pipe function ${name} is not supported`);
  }
  response.writeHead(status).end(bytes);
}

/** The functions of `?pipe=header(a,b)|status(404)`. */
export function parsePipe(pipe: string): Array<{ name: string; args: string[] }> {
  return Array.from(pipe.matchAll(/([a-z]+)\(((?:[^()\\]|\\.)*)\)/g), ([, name = '', list = '']) => ({
    name,
    args: list.split(/(?<!\\),/).map((argument) => argument.replace(/\\(.)/g, '$1')),
  }));
}

type Handler = (folder: string, exchange: Exchange) => Promise<void> | void;

/** A module that exports a function that adds one; a part of the tests may come without the file. */
const INCREMENTER = Buffer.from(
  '0061736d0100000001060160017f017f03020100070d0109696e6372656d656e7400000a09010700200041016a0b',
  'hex',
);

function incrementer(folder: string): Buffer {
  const file = path.join(folder, 'wasm/incrementer.wasm');
  return existsSync(file) ? readFileSync(file) : INCREMENTER;
}

/** What the tests' own server has scripts for, and the module above. */
const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['/wasm/incrementer.wasm', (folder, exchange) => sendBytes(incrementer(folder), exchange)],
  [
    '/wasm/webapi/status.py',
    (folder, { url, response }) => {
      const status = Number(url.searchParams.get('status'));
      const head = response.writeHead(status, { 'content-type': 'application/wasm' });
      head.end(incrementer(folder));
    },
  ],
  [
    '/fetch/api/resources/echo-content.py',
    async (_folder, { request, response }) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      response.setHeader('x-request-method', request.method ?? '');
      response.setHeader('x-request-content-type', request.headers['content-type'] ?? 'NO');
      response.writeHead(200, { 'content-type': 'text/plain' }).end(Buffer.concat(chunks));
    },
  ],
]);
