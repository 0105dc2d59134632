// Owns the way of one event to a target and of its answer back. The answer is often there when the
// native call returns; else it comes by ticket.

import { defaultMaxListeners, getMaxListeners, setMaxListeners } from 'node:events';
import { BindingBodyReader, type BindingCell, type BindingRunOptions, type BindingTarget } from '#binding';
import { keepWhileRead } from './body-reader.js';
import { BodySource } from './body-source.js';
import { sendRequestBody } from './body-writer.js';
import { checkOptions, checkString } from './check.js';
import { connection, deliverGathered, link } from './connection.js';
import { parseUsage } from './message-head.js';
import { parseLogHandler, parseRunOptions } from './options.js';
import { parseRequest } from './request.js';
import { ReceivedResponse } from './response.js';
import { forget, nextTicket, type Settle, whenSettled } from './tickets.js';
import type { RequestLike, RunOptions, RunUsage, ScheduledEventInit, WorkerResponse } from './types.js';
import { failureToError, invalidArgument, isFailure } from './worker-error.js';

/** What events are sent to. */
export interface Destination {
  readonly target: BindingTarget;
  /** What the target does not keep alive by itself; held while a request or its response's body is under way. */
  readonly owner?: unknown;
}

/** Sends a request to a target. Whatever is wrong with the arguments rejects. */
export function dispatchFetch(
  destination: Destination,
  request: RequestLike,
  options: RunOptions | undefined,
): Promise<WorkerResponse> {
  try {
    const { head, body, signal: requestSignal } = parseRequest(request);
    const run = options === undefined ? undefined : parseRunOptions(options);
    const signal = run?.signal ?? requestSignal;
    signal?.throwIfAborted();
    const native = nativeOptions(run?.native, options);
    const ticket = nextTicket();
    const source = body instanceof ReadableStream ? new BodySource(body) : undefined;
    const sent = body instanceof ReadableStream ? true : body;
    const answer = destination.target.fetch(ticket, head, sent, native);
    if (source !== undefined) void sendRequestBody(link, ticket, source);
    const convert = (head: BindingCell, body: BindingCell) => toResponse(head, body, destination);
    return answered(answer, { ticket, signal, convert, owner: destination });
  } catch (error) {
    return Promise.reject(error);
  }
}

const EVENT_KEYS: ReadonlyArray<keyof ScheduledEventInit> = ['cron', 'scheduledTime'];

/** Sends a scheduled event to a target. */
export function dispatchScheduled(
  destination: Destination,
  event: ScheduledEventInit | undefined,
  options: RunOptions | undefined,
): Promise<RunUsage> {
  try {
    if (event !== undefined) checkOptions(event, 'event', EVENT_KEYS);
    const cron = event?.cron === undefined ? '' : checkString(event.cron, 'event.cron');
    const time = parseTime(event?.scheduledTime);
    const run = options === undefined ? undefined : parseRunOptions(options);
    run?.signal?.throwIfAborted();
    const ticket = nextTicket();
    const signal = run?.signal;
    const answer = destination.target.scheduled(ticket, cron, time, nativeOptions(run?.native, options));
    return answered(answer, { ticket, signal, convert: toUsage, owner: destination });
  } catch (error) {
    return Promise.reject(error);
  }
}

function parseTime(time: unknown): number {
  if (time === undefined) return Date.now();
  const milliseconds = time instanceof Date ? time.getTime() : time;
  if (typeof milliseconds !== 'number' || !Number.isFinite(milliseconds)) {
    throw invalidArgument('event.scheduledTime', 'a valid Date or a number of milliseconds', time);
  }
  return milliseconds;
}

/** The last step before the call, so that a rejected call leaves no log handler behind. */
export function nativeOptions(
  native: BindingRunOptions | undefined,
  options: RunOptions | undefined,
): BindingRunOptions | undefined {
  if (native === undefined || options?.onLog === undefined) return native;
  return { ...native, log: parseLogHandler(options.onLog, 'options.onLog') };
}

function toResponse(head: BindingCell, body: BindingCell, owner: Destination): WorkerResponse {
  if (isFailure(head)) throw failureToError(head);
  if (body instanceof BindingBodyReader) keepWhileRead(body, owner);
  return new ReceivedResponse(head, body);
}

function toUsage(head: BindingCell): RunUsage {
  if (isFailure(head)) throw failureToError(head);
  return parseUsage(String(head).split(' '));
}

/** A call whose answer may have to be awaited. */
interface AwaitedCall<T> {
  readonly ticket: number;
  readonly signal: AbortSignal | undefined;
  readonly convert: (head: BindingCell, body: BindingCell) => T;
  /** Held until the answer is there. */
  readonly owner: unknown;
}

/** The answer to a call that began: it is there, or comes by its ticket. */
export function answered<T>(answer: BindingCell[] | null, call: AwaitedCall<T>): Promise<T> {
  if (answer !== null) {
    if (answer.length > 0) return Promise.resolve(call.convert(answer[0], answer[1]));
    deliverGathered();
  }
  return settled(call);
}

/** The answer to a call, or its signal's reason if that comes first. */
function settled<T>({ ticket, signal, convert, owner }: AwaitedCall<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => {
      forget(ticket);
      connection.abort(ticket);
      reject(signal?.reason);
    };
    if (signal !== undefined) {
      allowManyListeners(signal);
      signal.addEventListener('abort', onAbort, { once: true });
    }
    const settle: Settle = (head, body) => {
      signal?.removeEventListener('abort', onAbort);
      try {
        resolve(convert(head, body));
      } catch (error) {
        reject(error);
      }
    };
    whenSettled(ticket, settle, owner);
  });
}

/** A signal may well be that of more requests than Node allows listeners before it warns; as with Node's `fetch`. */
function allowManyListeners(signal: AbortSignal): void {
  try {
    if (getMaxListeners(signal) === defaultMaxListeners) setMaxListeners(Infinity, signal);
  } catch {
    // It has no bound: one of a polyfill, or of Node 20 with a bound of 0.
  }
}
