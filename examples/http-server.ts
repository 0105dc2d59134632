// An HTTP server whose answers come from workers, one for each host name:
//
//   node --import tsx examples/http-server.ts
//   curl -H 'host: one.test' http://127.0.0.1:8080/path

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { IsolatePool, WorkerError } from 'isolane';

const STATUS_OF_CODE: Partial<Record<WorkerError['code'], number>> = {
  ERR_UNKNOWN_WORKER: 404,
  ERR_POOL_FULL: 503,
  ERR_WALL_LIMIT: 504,
};

async function answer(pool: IsolatePool, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const host = request.headers.host ?? '';
  const controller = new AbortController();
  // Whoever goes away needs no answer.
  response.once('close', () => controller.abort());
  try {
    const method = request.method ?? 'GET';
    const hasBody = method !== 'GET' && method !== 'HEAD';
    const result = await pool.fetch(
      host,
      {
        url: `http://${host}${request.url ?? '/'}`,
        method,
        headers: new Headers(request.headers as Record<string, string>),
        body: hasBody ? (Readable.toWeb(request) as ReadableStream<Uint8Array>) : null,
      },
      { signal: controller.signal },
    );
    response.writeHead(result.status, result.statusText, [...result.headers].flat());
    if (result.body === null) response.end();
    else await pipeline(Readable.fromWeb(result.body as never), response);
  } catch (error) {
    if (response.headersSent || controller.signal.aborted) return void response.destroy();
    response.writeHead(error instanceof WorkerError ? (STATUS_OF_CODE[error.code] ?? 500) : 500);
    response.end();
  }
}

async function main(): Promise<void> {
  const pool = new IsolatePool({
    onLog: ({ workerId, level, message }) => console.log(workerId, level, message),
  });
  await pool.deploy(
    'one.test',
    `export default { fetch: (request) => new Response('one: ' + request.url + '\\n') }`,
  );
  await pool.deploy('two.test', `export default { fetch: () => Response.json({ two: Math.random() }) }`);
  createServer((request, response) => void answer(pool, request, response)).listen(8080, '127.0.0.1');
}

void main();
