// Owns the heads of requests and responses as they cross the binding: one string, its parts on
// lines of their own. Header names and values cannot hold a line feed, so nothing needs escaping.

import type { RunUsage } from './types.js';

/** A response's status and headers, and what the request used. */
export interface ResponseHead {
  readonly status: number;
  readonly statusText: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly usage: RunUsage;
}

const STARTS: ReadonlyArray<RunUsage['start']> = ['warm', 'context', 'isolate'];
const NANOSECONDS_PER_MILLISECOND = 1e6;

/** Reads `cpu wall heap start`, the two times in nanoseconds. */
export function parseUsage(numbers: readonly string[]): RunUsage {
  const [cpu, wall, heap, start] = numbers;
  return {
    cpuMs: Number(cpu) / NANOSECONDS_PER_MILLISECOND,
    wallMs: Number(wall) / NANOSECONDS_PER_MILLISECOND,
    heapUsedBytes: Number(heap),
    start: STARTS[Number(start)] ?? 'warm',
  };
}

/** Reads `status cpu wall heap start`, then the status text, then the headers. */
export function parseResponseHead(head: string): ResponseHead {
  const lines = head.split('\n');
  const [status, ...usage] = (lines[0] ?? '').split(' ');
  return {
    status: Number(status),
    statusText: lines[1] ?? '',
    headers: lines.slice(2),
    usage: parseUsage(usage),
  };
}

/** A request's head: method and URL, then the headers. */
export function requestHead(method: string, url: string, headers: Headers | undefined): string {
  let head = `${method}\n${url}`;
  if (headers !== undefined) for (const [name, value] of headers) head += `\n${name}\n${value}`;
  return head;
}

/** Headers from names and values in turn. */
export function headersFrom(flat: readonly string[]): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < flat.length; at += 2) headers.append(flat[at] as string, flat[at + 1] as string);
  return headers;
}
